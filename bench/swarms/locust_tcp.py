"""A Locust user a connection over a plain socket, as in Locust's examples for other protocols."""

from bench.peer import Load, Swarm
from bench.swarms._locust import run_users
from protocol.frames import EMPTY_PING


def _run(load: Load) -> None:
    import socket  # gevent's, once Locust is there

    def connect() -> socket.socket:
        return socket.create_connection(("127.0.0.1", load.port))

    def beat(connection: socket.socket) -> None:
        connection.sendall(EMPTY_PING)
        connection.recv(64)

    run_users(load, connect, beat)


PEER = Swarm("Locust, a user each, TCP", _run)
