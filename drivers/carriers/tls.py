"""TLS 1.2 or newer: the session's bytes, encrypted, to a server that shows who it is.

`chat+tls://HOST:PORT` trusts the authorities of the system (or of $SSL_CERT_FILE); `?ca=FILE` trusts those of
a PEM file instead. The certificate has to be for HOST as the URL has it, or for the name in `?name=NAME`.
"""

import ssl
from collections.abc import Callable
from functools import cache
from urllib.parse import SplitResult, parse_qs

from drivers.carriers.wrapped import UrlCarrier, Wrapped
from drivers.contract import Dialect, Ended, Session
from drivers.events import CloseReason, Event

_READ_BYTES = 65536


class TlsSession(Wrapped):
    """Handshaking → through → over. Until it is through, what the session inside says waits there."""

    __slots__ = ("_incoming", "_is_leaving", "_is_over", "_is_through", "_outgoing", "_tls")

    def __init__(self, inner: Session, context: ssl.SSLContext, name: str) -> None:
        super().__init__(inner)
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        self._is_through = False
        self._is_leaving = False
        self._is_over = False
        self._shake_hands()

    def bye(self) -> None:
        super().bye()
        self._is_leaving = True

    def take(self) -> bytes:
        if self._is_through and not self._is_over:
            plain = self._inner.take()
            while plain:
                plain = plain[self._tls.write(plain) :]
            if self._is_leaving:
                self._say_end()
        return self._outgoing.read() if self._outgoing.pending else b""

    def receive(self, data: bytes) -> list[Event]:
        if self._is_over:
            return []
        happened: list[Event] = []
        self._incoming.write(data)
        try:
            if not self._is_through:
                self._shake_hands()
            while self._is_through:
                plain = self._tls.read(_READ_BYTES)
                if not plain:
                    return [*happened, self._ended(CloseReason.EOF, "TLS was closed by the server")]
                happened += self._inner.receive(plain)
                if happened and type(happened[-1]) is Ended:
                    self._is_over = True
                    return happened
        except ssl.SSLWantReadError:
            return happened
        except ssl.SSLCertVerificationError as error:
            return [self._ended(CloseReason.PROTOCOL_ERROR, f"certificate refused: {error.verify_message}")]
        except ssl.SSLError as error:
            what = "TLS" if self._is_through else "TLS handshake"
            happened.append(self._ended(CloseReason.PROTOCOL_ERROR, f"{what}: {_words(error)}"))
        return happened

    def _shake_hands(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return
        self._is_through = True

    def _say_end(self) -> None:
        self._is_over = True
        try:
            self._tls.unwrap()
        except ssl.SSLError:
            return  # what there was to say is said; the answer is nobody's any more

    def _ended(self, reason: CloseReason, detail: str) -> Ended:
        self._is_over = True
        return Ended(reason, detail)


def _words(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).replace("_", " ").lower()


def wrap_for(url: SplitResult, dialect: Dialect) -> Callable[[Session], Session]:
    """TLS towards the host of `url`. Raises ValueError for a query or file that cannot be used."""
    query = parse_qs(url.query, keep_blank_values=True)
    unknown = query.keys() - {"ca", "name"}
    if unknown:
        raise ValueError(f"?{unknown.pop()}= means nothing here; ?ca=FILE and ?name=NAME do")
    name = query.get("name", [url.hostname or ""])[-1]
    if not name:
        raise ValueError("?name= needs the name that the certificate is for")
    context = _context(query.get("ca", [""])[-1])
    return lambda session: TlsSession(session, context, name)


@cache
def _context(authorities: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=authorities or None)
    except (OSError, ssl.SSLError) as error:
        why = error.strerror or "no certificates in it"
        raise ValueError(f"authorities {authorities}: {why}; ?ca= needs a PEM file") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    return context


CARRIER = UrlCarrier(name="tls", wrap_for=wrap_for)
