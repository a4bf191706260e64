"""An HTTP client that shows what is on the wire: requests as bytes, answers one by one."""

import contextlib
import json
import ssl
from typing import Any

import gevent
from encrypted import Encrypted
from gevent import socket

PATIENCE_S = 60.0


class HttpClient:
    """Over TLS if there is a `context`."""

    def __init__(self, port: int, token: str | None, context: ssl.SSLContext | None = None) -> None:
        self.token = token
        connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self.socket = connection if context is None else Encrypted(connection, context)
        self._received = b""

    def bytes_of(self, method: str, path: str, body: object = None, **headers: str) -> bytes:
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        data = b"" if body is None else json.dumps(body).encode()
        if body is not None:
            headers["Content-Length"] = str(len(data))
        fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"{method} {path} HTTP/1.1\r\nHost: test\r\n{fields}\r\n".encode() + data

    def send_bytes(self, data: bytes) -> None:
        # The server may have heard enough; what it said is what counts.
        with contextlib.suppress(ConnectionError):
            self.socket.sendall(data)

    def request(self, method: str, path: str, body: object = None, **headers: str) -> None:
        self.send_bytes(self.bytes_of(method, path, body, **headers))

    def get(self, path: str, **headers: str) -> None:
        self.request("GET", path, **headers)

    def post(self, path: str, body: object, **headers: str) -> None:
        self.request("POST", path, body, **headers)

    def answer(self, *, head: bool = False) -> tuple[int, dict[str, str], Any]:
        """Status, header fields by lower-case name, JSON body (None for an answer to HEAD)."""
        while b"\r\n\r\n" not in self._received:
            self._receive()
        header, _, self._received = self._received.partition(b"\r\n\r\n")
        status_line, *lines = header.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        if head:
            return int(status_line.split()[1]), headers, None
        length = int(headers["content-length"])
        while len(self._received) < length:
            self._receive()
        body, self._received = self._received[:length], self._received[length:]
        return int(status_line.split()[1]), headers, json.loads(body)

    def _receive(self) -> None:
        data = self.socket.recv(65536)
        assert data, f"the connection ended after {self._received!r}"
        self._received += data

    def is_closed(self, within_s: float = PATIENCE_S) -> bool:
        """True when the stream ends, False when the connection is kept open for so long."""
        self.socket.settimeout(within_s)
        try:
            return self.socket.recv(1) == b""
        except TimeoutError:
            return False
        except ConnectionResetError:
            return True
        finally:
            self.socket.settimeout(PATIENCE_S)

    def hears_nothing(self, turns: int = 20) -> bool:
        for _ in range(turns):
            gevent.sleep(0.001)
        self.socket.settimeout(0.05)
        try:
            self._receive()
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(PATIENCE_S)
        return False

    def close(self) -> None:
        self.socket.close()
