"""An access process of the reference server (`chatproof serve --access-processes 1`), without the one that
stores."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.peer import Served, Server
from bench.servers._chatproof import reference_server


@contextmanager
def _serve(folder: Path, connections: int) -> Iterator[Served]:
    with reference_server(folder, connections, 1, lambda pids: pids[1:]) as served:
        yield served


PEER = Server("Chatproof, an access process", _serve)
