"""The bytes of one connection, to and from its descriptor, through a carrier where it has one."""

import contextlib
import os

from reactor import sockets
from refserver.access.acceptor import end_sending
from refserver.access.carriers.kinds import Carrying

OWN_WORDS_BYTES = 64 << 10
"""What may wait to be written before a carrier, which answers by itself, is given no more to answer."""


class Channel:
    """What does not fit into the kernel's buffer waits here: then `is_blocked`, until `flush` was enough."""

    __slots__ = ("_carrier", "_unsent", "fd")

    def __init__(self, fd: int, carrier: Carrying | None = None) -> None:
        self.fd = fd
        self._carrier = carrier
        self._unsent: bytes | None = None

    @property
    def is_blocked(self) -> bool:
        return self._unsent is not None

    @property
    def is_choked(self) -> bool:
        """True while the peer makes the carrier talk and does not listen: it is not to be read."""
        return self._carrier is not None and self._unsent is not None and len(self._unsent) > OWN_WORDS_BYTES

    @property
    def is_over(self) -> bool:
        """True when the carrier was ended by the peer, or broken."""
        return self._carrier is not None and self._carrier.is_over

    def read(self) -> bytes | None:
        """What has come; b"" at the end of the stream, None when there is nothing. Raises OSError."""
        data = sockets.read(self.fd)
        return self.unpack(data) if data else data

    def unpack(self, data: bytes) -> bytes | None:
        """The same for `data` that was read already. Raises OSError."""
        if self._carrier is None:
            return data
        plain = self._carrier.receive(data)
        self._put(self._carrier.take())
        return plain or None

    def skip(self) -> bool:
        """What has come is thrown away; True at the end of the stream. Raises OSError."""
        return sockets.read(self.fd) == b""

    def write(self, data: bytes) -> None:
        """Raises OSError for a connection that is gone."""
        self._put(data if self._carrier is None else self._carrier.seal(data))

    def flush(self) -> None:
        """Raises OSError for a connection that is gone."""
        unsent, self._unsent = self._unsent, None
        if unsent is not None:
            self._put(unsent)

    def end(self) -> None:
        """The peer sees the end after what was written; while that is blocked, call `end` again later."""
        if self._carrier is not None:
            self._carrier.close()
            self._put(self._carrier.take())
        if self._unsent is None:
            end_sending(self.fd)

    def close(self) -> None:
        """At once; the carrier's closing words go out if there is room."""
        if self._carrier is not None and self._unsent is None:
            self._carrier.close()
            with contextlib.suppress(OSError):
                sockets.write(self.fd, self._carrier.take())
        os.close(self.fd)

    def _put(self, data: bytes) -> None:
        if self._unsent is not None:
            self._unsent += data
        elif data:
            sent = sockets.write(self.fd, data)
            if sent < len(data):
                self._unsent = data[sent:]
