"""What stands between a client and its server, made of sockets of this machine: ports that take nothing or
refuse, a proxy that lets nothing but plain HTTP through, a port that opens later.
"""

import socket
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import gevent
import gevent.server
import gevent.socket

HOST = "127.0.0.1"
_PATIENCE_S = 30.0
_FILL_S = 0.1
_HOP_BY_HOP = ("connection", "proxy-connection", "keep-alive", "upgrade", "te", "trailer")


class BlackHole:
    """A port that takes nothing: the queue of its listener is full, and the kernel drops whoever comes."""

    def __init__(self, host: str = HOST) -> None:
        self._listener = gevent.socket.socket()
        self._listener.bind((host, 0))
        self._listener.listen(0)
        self.port: int = self._listener.getsockname()[1]
        self._filling: list[gevent.socket.socket] = []
        while self._fill(host):
            pass

    def _fill(self, host: str) -> bool:
        filler = gevent.socket.socket()
        self._filling.append(filler)
        filler.settimeout(_FILL_S)
        try:
            filler.connect((host, self.port))
        except TimeoutError:
            return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in (self._listener, *self._filling):
            each.close()


class Shut:
    """A port that refuses, and is nobody else's: `open(port)` lets connections through to another one."""

    def __init__(self, host: str = HOST) -> None:
        self._host = host
        self._holder = gevent.socket.socket()
        self._holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._holder.bind((host, 0))
        self.port: int = self._holder.getsockname()[1]
        self._server: gevent.server.StreamServer | None = None

    def open(self, port: int) -> None:
        """Whoever connects is connected to `port` from now on."""

        def carry(client: gevent.socket.socket, _: object) -> None:
            with gevent.socket.create_connection((self._host, port)) as server:
                up = gevent.spawn(_carry, client, server)
                _carry(server, client)
                up.kill()

        self._holder.listen()
        self._server = gevent.server.StreamServer(self._holder, carry)
        self._server.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.stop(0)
        self._holder.close()


def _carry(source: gevent.socket.socket, to: gevent.socket.socket) -> None:
    try:
        while data := source.recv(65536):
            to.sendall(data)
        to.shutdown(socket.SHUT_WR)
    except OSError:
        return  # one end is gone; the other notices when its own side is closed


class HttpOnlyProxy:
    """Takes requests for http:// addresses, buffers them whole, and buffers their answers whole. CONNECT and
    everything else is refused, and an upgrade is not passed on. `carried`: how many requests."""

    def __init__(self, host: str = HOST) -> None:
        self.carried = 0
        self._server = gevent.server.StreamServer((host, 0), self._serve)
        self._server.start()
        self.port = int(self._server.server_port or 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop(0)

    def _serve(self, client: gevent.socket.socket, _: object) -> None:
        client.settimeout(_PATIENCE_S)
        try:
            answer = self._answer_to(client)
            if answer:
                client.sendall(answer)
        except OSError:
            return  # a client or a server that left takes its request along

    def _answer_to(self, client: gevent.socket.socket) -> bytes:
        head, end, body = b"", b"", b""
        while not end:
            data = client.recv(65536)
            if not data:
                return b""
            head, end, body = (head + data).partition(b"\r\n\r\n")
        request, *lines = head.decode("latin-1").split("\r\n")
        method, _, rest = request.partition(" ")
        url = urlsplit(rest.rpartition(" ")[0])
        if url.scheme != "http" or url.hostname is None:
            return b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        fields = [line.partition(":") for line in lines]
        kept = [f"{name}:{value}" for name, _, value in fields if name.lower() not in _HOP_BY_HOP]
        length_bytes = next((int(value) for name, _, value in fields if name.lower() == "content-length"), 0)
        while len(body) < length_bytes:
            body += client.recv(65536) or b"\0" * length_bytes
        path = f"{url.path}?{url.query}" if url.query else url.path
        told = "\r\n".join([f"{method} {path} HTTP/1.1", *kept, "Connection: close"])
        self.carried += 1
        with gevent.socket.create_connection((url.hostname, url.port or 80), _PATIENCE_S) as server:
            server.sendall(told.encode("latin-1") + b"\r\n\r\n" + body)
            whole = b""
            while data := server.recv(65536):
                whole += data
        return whole
