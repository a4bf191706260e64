"""A captive portal: whatever is said to it, the answer is a page to log in on."""

import gevent.server
import gevent.socket

HOST = "127.0.0.1"
_PATIENCE_S = 30.0
PAGE = b"<!DOCTYPE html><html><body><form>Welcome! Please log in to go online.</form></body></html>"
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"
    + f"Content-Length: {len(PAGE)}\r\n\r\n".encode()
    + PAGE
)


class Portal:
    """Listens on a free port from its making until `close`."""

    def __init__(self, host: str = HOST) -> None:
        self._server = gevent.server.StreamServer((host, 0), self._answer, backlog=1024)
        self._server.start()
        self.port = int(self._server.server_port or 0)
        self.address = f"{host}:{self.port}"

    def close(self) -> None:
        """Its connections are closed. Twice is allowed."""
        self._server.stop(0)

    @staticmethod
    def _answer(connection: gevent.socket.socket, _: object) -> None:
        connection.settimeout(_PATIENCE_S)
        try:
            while connection.recv(65536):
                connection.sendall(ANSWER)
        except OSError:
            return  # whoever left does not want to log in
