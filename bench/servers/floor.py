"""The floor: one epoll set, no state a connection. It knows no protocol beyond the first bytes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.measured import line_of, module, running
from bench.peer import Served, Server
from protocol.frames import EMPTY_PING


@contextmanager
def _serve(folder: Path, connections: int) -> Iterator[Served]:
    log = folder / "floor.log"
    with running(module("bench.opposite.server", "--heartbeat", 60), log) as process:
        yield Served((process.pid,), int(line_of(process, log)), EMPTY_PING.hex(), [])


PEER = Server("bare epoll (the floor)", _serve)
