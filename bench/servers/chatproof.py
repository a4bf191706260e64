"""The reference server as `chatproof serve` starts it: everything in one process."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.peer import Served, Server
from bench.servers._chatproof import reference_server


@contextmanager
def _serve(folder: Path, connections: int) -> Iterator[Served]:
    with reference_server(folder, connections, 0, lambda pids: pids) as served:
        yield served


PEER = Server("Chatproof, one process", _serve)
