"""`tls://`: the bytes of plain TCP within TLS 1.2 or newer."""

import ssl
from pathlib import Path

from refserver.access.carriers.kinds import Carrying, Kind

_READ_BYTES = 65536


class TlsCarrying:
    """The server's side. OpenSSL does the work, between two buffers in memory."""

    __slots__ = ("_incoming", "_is_over", "_is_through", "_outgoing", "_tls")

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._is_through = False
        self._is_over = False

    @property
    def is_over(self) -> bool:
        return self._is_over

    def receive(self, data: bytes) -> bytes:
        if self._is_over:
            return b""
        self._incoming.write(data)
        plain: list[bytes] = []
        try:
            if not self._is_through:
                self._tls.do_handshake()
                self._is_through = True
            while piece := self._tls.read(_READ_BYTES):
                plain.append(piece)
            self._is_over = True
        except ssl.SSLWantReadError:
            pass  # that was all for now
        except ssl.SSLError:
            self._is_over = True  # the alert that says why is among what is to be taken
        return plain[0] if len(plain) == 1 else b"".join(plain)

    def put(self, plain: bytes) -> None:
        """Encrypted, it waits to be taken; before the handshake is through it goes nowhere."""
        try:
            while plain and self._is_through:
                plain = plain[self._tls.write(plain) :]
        except ssl.SSLError:
            self._is_over = True

    def seal(self, frame: bytes) -> bytes:
        self.put(frame)
        return self.take()

    def take(self) -> bytes:
        return self._outgoing.read() if self._outgoing.pending else b""

    def close(self) -> None:
        if self._is_through:
            self._is_through = False
            try:
                self._tls.unwrap()
            except ssl.SSLError:
                return  # said as far as it could be; the answer is waited for by nobody


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """For servers that show `certificate` (PEM, with its chain). Raises OSError (SSLError among them)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    # A key that needs a password fails: there is nobody at a terminal to ask.
    context.load_cert_chain(certificate, key, password=lambda: b"")
    return context


def _carry(context: ssl.SSLContext | None) -> Carrying:
    assert context is not None
    return TlsCarrying(context)


KIND = Kind(scheme="tls", needs_certificate=True, carry=_carry)
