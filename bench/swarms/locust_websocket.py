"""A Locust user a connection over the `websocket-client` library, which Locust itself uses for Socket.IO."""

from bench.peer import Load, Swarm
from bench.swarms._locust import run_users
from protocol.frames import EMPTY_PING


def _run(load: Load) -> None:
    import locust  # noqa: F401  patches the standard library before the library imports it
    import websocket

    def connect() -> websocket.WebSocket:
        return websocket.create_connection(f"ws://127.0.0.1:{load.port}/v1/ws")

    def beat(connection: websocket.WebSocket) -> None:
        connection.send_binary(EMPTY_PING)
        connection.recv()

    run_users(load, connect, beat)


PEER = Swarm("Locust, a user each, WebSocket", _run)
