"""Requests of HTTP/1.1 as bytes that a case writes itself, and their answers, however those are framed."""

import http.client
import io
import json
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import gevent.socket

_TIMEOUT_S = 10.0


class Answered(NamedTuple):
    """`content`: the JSON of the body, None when it is none."""

    status: int
    content: Any


class _Kept(io.BufferedReader):
    """Stays open for the next answer, whoever is through with this one."""

    def close(self) -> None:
        """Not yet."""


class _Given:
    """What answers are read from, in the shape of a socket."""

    def __init__(self, file: _Kept) -> None:
        self._file = file

    def makefile(self, mode: str) -> _Kept:
        return self._file


class BareHttp:
    """A connection to an http:// URL; `host` is what its requests have to name."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host = parts.netloc
        address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._socket = gevent.socket.create_connection(address, timeout=_TIMEOUT_S)
        self._file = _Kept(self._socket.makefile("rb", buffering=0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def throw(self, data: bytes) -> None:
        """Bytes as they are. Raises OSError when the server takes none of them."""
        self._socket.sendall(data)

    def answer(self) -> Answered:
        """The next answer. Raises OSError and HTTPException when there is none."""
        given: Any = _Given(self._file)
        response = http.client.HTTPResponse(given)
        response.begin()
        body = response.read()
        try:
            return Answered(response.status, json.loads(body))
        except ValueError:
            return Answered(response.status, None)

    def status(self, timeout_s: float) -> int | None:
        """Of the next answer; None when none comes in time, or the connection ends before."""
        self._socket.settimeout(timeout_s)
        try:
            return self.answer().status
        except (OSError, http.client.HTTPException):
            return None

    def has_ended(self) -> bool:
        """True when the server closes the connection and says nothing more before, False when it does not."""
        try:
            return self._file.read(1) == b""
        except TimeoutError:
            return False
        except ConnectionError:
            return True
