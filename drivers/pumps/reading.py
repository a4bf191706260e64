"""From a descriptor into a client: the same for all pumps."""

from collections.abc import Callable

from drivers.client import Client, State
from drivers.events import CloseReason
from reactor import sockets

Path = Callable[[bytes], bytes]


def hear(client: Client, fd: int, now: float, path: Path | None = None) -> None:
    """Read once; what was read, or the end of the connection, is the client's.

    `path` is what the bytes pass through; what it swallows was never heard.
    """
    try:
        data = sockets.read(fd)
    except OSError as error:
        client.lost(CloseReason.RESET, error.strerror or "", now)
        return
    if data:
        if path is not None:
            data = path(data)
        if data:
            client.receive(data, now)
    elif data is not None:
        client.lost(CloseReason.EOF, "", now)


def hear_last_words(client: Client, fd: int, error: OSError, now: float, path: Path | None = None) -> None:
    """After a write that failed: what a peer that has closed said before, such as GO_AWAY(replaced)."""
    while client.link == fd and client.state >= State.LOGGING_IN:
        try:
            data = sockets.read(fd)
        except OSError:
            data = None
        if not data:
            client.lost(CloseReason.RESET, error.strerror or "", now)
            return
        if path is not None:
            data = path(data)
        if data:
            client.receive(data, now)
