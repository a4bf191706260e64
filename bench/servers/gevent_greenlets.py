"""gevent's own StreamServer: a greenlet and a socket a connection."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.measured import line_of, module, running
from bench.peer import Served, Server
from protocol.frames import EMPTY_PING, encode
from protocol.messages import Pong


@contextmanager
def _serve(folder: Path, connections: int) -> Iterator[Served]:
    log = folder / "gevent.log"
    with running(module("bench.servers.gevent_greenlets"), log) as process:
        yield Served((process.pid,), int(line_of(process, log)), EMPTY_PING.hex(), [])


def _main() -> None:
    import socket

    from gevent.server import StreamServer

    pong = encode(Pong(0, 60))

    def answer(connection: socket.socket, _: object) -> None:
        while connection.recv(64):
            connection.sendall(pong)

    server = StreamServer(("127.0.0.1", 0), answer, backlog=4096)
    server.start()
    print(server.server_port, flush=True)
    server.serve_forever()


PEER = Server("gevent, a greenlet each", _serve)

if __name__ == "__main__":
    _main()
