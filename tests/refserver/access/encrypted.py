"""A certificate of the tests, and a client's TLS over one of our sockets, by hand."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import gevent.socket
import trustme


@dataclass(frozen=True)
class Pem:
    """For 127.0.0.1, with the authority behind it."""

    ca: Path
    chain: Path
    key: Path

    @classmethod
    def issue(cls, folder: Path) -> "Pem":
        authority = trustme.CA()
        issued = authority.issue_cert("127.0.0.1")
        pem = cls(folder / "ca.pem", folder / "chain.pem", folder / "key.pem")
        authority.cert_pem.write_to_path(pem.ca)
        pem.chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(pem.key)
        return pem


def client_context(pem: Pem) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(pem.ca))


class Encrypted:
    """Looks like the socket within. An end that TLS did not announce raises SSLError."""

    def __init__(self, connection: gevent.socket.socket, context: ssl.SSLContext) -> None:
        self.socket = connection
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname="127.0.0.1")
        self._until_done(self.tls.do_handshake)

    def _until_done(self, action: Callable[[], object]) -> object:
        while True:
            try:
                done = action()
            except ssl.SSLWantReadError:
                self.flush()
                data = self.socket.recv(65536)
                if not data:
                    self._incoming.write_eof()
                self._incoming.write(data) if data else None
                continue
            self.flush()
            return done

    def settimeout(self, seconds: float) -> None:
        self.socket.settimeout(seconds)

    def close(self) -> None:
        self.socket.close()

    def flush(self) -> None:
        self.socket.sendall(self._outgoing.read())

    def sendall(self, data: bytes) -> None:
        self.tls.write(data)
        self.flush()

    def recv(self, size: int) -> bytes:
        return self._until_done(lambda: self.tls.read(size))
