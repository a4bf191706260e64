"""Families over HTTP, for a process that has no HTTP server of its own."""

from collections.abc import Callable, Iterable
from typing import Any

from gevent.pywsgi import WSGIServer

from metrics.exposition import CONTENT_TYPE, exposition
from metrics.metric import Family

PATH = "/metrics"

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


class MetricsServer:
    """Answers GET /metrics with what `collect()` returns, from `start` to `stop`."""

    def __init__(self, host: str, port: int, collect: Callable[[], Iterable[Family]]) -> None:
        """`port` 0 takes a free one, see `port` after `start`."""
        self._collect = collect
        self._server = WSGIServer((host, port), self._answer, log=None)

    @property
    def port(self) -> int:
        port = self._server.server_port
        assert port is not None
        return int(port)

    def start(self) -> None:
        """It listens. Raises OSError."""
        self._server.start()

    def stop(self) -> None:
        self._server.stop(timeout=1)

    def _answer(self, environ: dict[str, Any], start: StartResponse) -> list[bytes]:
        if environ["PATH_INFO"] != PATH:
            start("404 Not Found", [("Content-Type", "text/plain")])
            return [b"only /metrics is here\n"]
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            start("405 Method Not Allowed", [("Allow", "GET, HEAD"), ("Content-Type", "text/plain")])
            return []
        body = exposition(self._collect()).encode()
        start("200 OK", [("Content-Type", CONTENT_TYPE), ("Content-Length", str(len(body)))])
        return [body] if environ["REQUEST_METHOD"] == "GET" else []
