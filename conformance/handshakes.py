"""TLS by hand, for cases about it: where it is spoken, handshakes there, and words that no library says."""

import contextlib
import ipaddress
import os
import ssl
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar
from urllib.parse import parse_qs, urlsplit

import gevent.socket

from conformance.target import Target
from drivers.pumps.wire import Expected

T = TypeVar("T")

HANDSHAKE, ALERT = 0x16, 0x15
TLS_1_2 = 0x0303
_PATIENCE_S = 10.0
_SERVER_HELLO = 2
_READ_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Place:
    """Where TLS is spoken. `carrier`: tls, wss or https; `name`: what the certificate has to be for; `ca`:
    the authority to trust, None for those of the system."""

    carrier: str
    address: tuple[str, int]
    name: str
    ca: Path | None

    @classmethod
    def of(cls, url: str, carrier: str, ca: Path | None) -> "Place":
        """The place that a target's URL means."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        (name,) = parse_qs(parts.query).get("name", [host])[-1:]
        return cls(carrier, (host, parts.port or 443), name, ca)

    def __str__(self) -> str:
        return f"{self.carrier} at {self.address[0]}:{self.address[1]}"

    def context(self) -> ssl.SSLContext:
        """For a client that verifies."""
        return ssl.create_default_context(cafile=self.ca)


def places(target: Target) -> list[Place]:
    """All of a target that are known to be places of TLS."""
    found = [
        Place.of(endpoint.url, carrier, target.ca)
        for carrier in ("tls", "wss")
        for endpoint in target.endpoints_of(carrier)
    ]
    https = target.https_url
    return found if https is None else [*found, Place.of(https, "https", target.ca)]


class Secured:
    """A client's TLS over one socket, whose records the case may cut and gather as it likes.

    Raises Expected when there is no handshake, with what the library says of it.
    """

    def __init__(self, place: Place, context: ssl.SSLContext | None = None) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = (context or place.context()).wrap_bio(
            self._incoming, self._outgoing, server_hostname=place.name
        )
        self._socket = gevent.socket.create_connection(place.address, timeout=_PATIENCE_S)
        try:
            self._until_done(self.tls.do_handshake)
        except OSError as error:
            self._socket.close()
            why = getattr(error, "verify_message", None) or getattr(error, "reason", None) or error
            raise Expected(f"{place}: expected a handshake, got: {why}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def records(self, *pieces: bytes) -> bytes:
        """Each piece as a record of its own, ready for the socket."""
        for piece in pieces:
            self.tls.write(piece)
        return self._outgoing.read()

    def send_raw(self, data: bytes) -> None:
        """Bytes of the socket, which are encrypted already."""
        self._socket.sendall(data)

    def read(self) -> bytes:
        """What the server says, b"" at its end. Raises Expected when nothing comes in time."""
        try:
            return self._until_done(lambda: self.tls.read(_READ_BYTES))
        except TimeoutError:
            raise Expected(f"expected an answer within {_PATIENCE_S:g} s, got none") from None
        except ssl.SSLEOFError:
            return b""

    def _until_done(self, action: Callable[[], T]) -> T:
        while True:
            try:
                done = action()
            except ssl.SSLWantReadError:
                self._flush()
                data = self._socket.recv(_READ_BYTES)
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
                continue
            except ssl.SSLError:
                # The alert that says why is the other side's due.
                with contextlib.suppress(OSError):
                    self._flush()
                raise
            self._flush()
            return done

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._socket.sendall(self._outgoing.read())


def said_to(place: Place, words: bytes, *, enough: Callable[[bytes], bool] = lambda said: False) -> bytes:
    """What is answered to `words` at a place until it ends the connection, or until that is `enough`.

    Raises Expected when the connection is still open after a while.
    """
    said = b""
    with gevent.socket.create_connection(place.address, timeout=_PATIENCE_S) as connection:
        try:
            connection.sendall(words)
            while not enough(said) and (more := connection.recv(_READ_BYTES)):
                said += more
        except TimeoutError:
            raise Expected(f"{place}: expected the end within {_PATIENCE_S:g} s of {words[:20]!r}") from None
        except ConnectionError:
            pass  # an end as well
    return said


# -- ClientHello, RFC 5246, section 7.4.1.2: our library does not speak what a server is to refuse

_CIPHERS = (
    0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8,  # ECDHE with AEAD, from 1.2 on
    0xC009, 0xC013, 0xC00A, 0xC014, 0x0033, 0x0039, 0x002F, 0x0035, 0x000A,  # CBC, in all versions
)  # fmt: skip
_GROUPS = (0x001D, 0x0017, 0x0018, 0x0019)
_SIGNATURES = (0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201)


def client_hello(version: int, name: str) -> bytes:
    """The first words of a client whose newest version is `version`: 0x0301 is TLS 1.0."""
    extensions = [
        (0x000A, _vector(2, _words(_GROUPS))),
        (0x000B, _vector(1, b"\x00")),
        (0x000D, _vector(2, _words(_SIGNATURES))),
        (0xFF01, b"\x00"),
        *((0x0000, _vector(2, b"\x00" + _vector(2, host))) for host in _host_names(name)),
    ]
    body = (
        struct.pack("!H", version)
        + os.urandom(32)
        + b"\x00"
        + _vector(2, _words(_CIPHERS))
        + b"\x01\x00"
        + _vector(2, b"".join(struct.pack("!H", kind) + _vector(2, data) for kind, data in extensions))
    )
    message = b"\x01" + _vector(3, body)
    return struct.pack("!BHH", HANDSHAKE, min(version, 0x0301), len(message)) + message


def agreed_version(said: bytes) -> int | None:
    """The version of the ServerHello that `said` begins with; None if it is none."""
    if len(said) < 11 or said[0] != HANDSHAKE or said[5] != _SERVER_HELLO:
        return None
    return int.from_bytes(said[9:11])


def _host_names(name: str) -> Iterator[bytes]:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        yield name.encode("idna")


def _words(values: tuple[int, ...]) -> bytes:
    return struct.pack(f"!{len(values)}H", *values)


def _vector(length_bytes: int, data: bytes) -> bytes:
    return len(data).to_bytes(length_bytes) + data
