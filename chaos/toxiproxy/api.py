"""The HTTP API: a table of routes over the collection, as a WSGI application."""

import base64
import itertools
import os
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import gevent

from chaos.toxiproxy import gojson
from chaos.toxiproxy.collection import ApiError, Collection, PopulateError, proxies_json

VERSION = "2.12.0"
REQUEST_LIMIT_S = 25.0
BODY_LIMIT_BYTES = 8 * 1024 * 1024

_JSON = "application/json"
_TEXT = "text/plain; charset=utf-8"
_REASONS = {
    200: "OK",
    201: "Created",
    204: "No Content",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_TIMEOUT_PAGE = b"<html><head><title>Timeout</title></head><body><h1>Timeout</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body, and what kind of body it is; None for no Content-Type at all."""

    status: int
    body: bytes = b""
    content_type: str | None = _JSON
    nosniff: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """`methods` None: any. The groups of `path` and then the body are the arguments of `call`."""

    methods: tuple[str, ...] | None
    path: re.Pattern[str]
    call: Callable[..., Answer]


def _ok(value: Any, status: int = 200) -> Answer:
    return Answer(status, gojson.write(value))


def _error(status: int, text: str) -> Answer:
    # The original sets JSON as the type and then loses it; clients see plain text.
    return Answer(status, gojson.write({"error": text, "status": status}) + b"\n", _TEXT, nosniff=True)


_NOTHING = Answer(204, b"", None)
_NOT_FOUND = Answer(404, b"404 page not found\n", _TEXT, nosniff=True)
_WRONG_METHOD = Answer(405, b"", None)
_BROWSER = Answer(403, b"User agent not allowed\n", _TEXT, nosniff=True)
_TOO_SLOW = Answer(503, _TIMEOUT_PAGE, "text/html; charset=utf-8")


class Api:
    """`metrics`, if given, makes the text of /metrics."""

    def __init__(self, collection: Collection, metrics: Callable[[], str] | None = None) -> None:
        self._collection = collection
        self._metrics = metrics
        self._request_ids = itertools.count(int.from_bytes(os.urandom(2), "big"))
        self._machine = os.urandom(3)
        change = ("POST", "PATCH")
        table: list[tuple[tuple[str, ...] | None, str, Callable[..., Answer]]] = [
            (("GET",), "/version", self._version),
            (("GET",), "/proxies", self._list),
            (("POST",), "/proxies", self._create),
            (("GET",), "/proxies/{}", self._show),
            (change, "/proxies/{}", self._update),
            (("DELETE",), "/proxies/{}", self._delete),
            (("GET",), "/proxies/{}/toxics", self._list_toxics),
            (("POST",), "/proxies/{}/toxics", self._add_toxic),
            (("GET",), "/proxies/{}/toxics/{}", self._show_toxic),
            (change, "/proxies/{}/toxics/{}", self._update_toxic),
            (("DELETE",), "/proxies/{}/toxics/{}", self._remove_toxic),
            (("POST",), "/reset", self._reset),
            (("POST",), "/populate", self._populate),
        ]
        if metrics is not None:
            table.append((None, "/metrics", self._show_metrics))
        self._routes = [
            Route(methods, re.compile(path.replace("{}", "([^/]+)")), call) for methods, path, call in table
        ]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """WSGI."""
        path = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace")
        answer, routed = self._answer(environ, path)
        headers: list[tuple[str, str]] = []
        if answer.content_type is not None:
            headers.append(("Content-Type", answer.content_type))
        if answer.nosniff:
            headers.append(("X-Content-Type-Options", "nosniff"))
        if routed:
            headers.append(("X-Toxiproxy-Request-Id", self._request_id()))
        if answer.status != 204:
            headers.append(("Content-Length", str(len(answer.body))))
        start_response(f"{answer.status} {_REASONS[answer.status]}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]

    def _answer(self, environ: dict[str, Any], path: str) -> tuple[Answer, bool]:
        matches = [(route, match) for route in self._routes if (match := route.path.fullmatch(path))]
        if not matches:
            return _NOT_FOUND, False
        method = environ["REQUEST_METHOD"]
        for route, match in matches:
            if route.methods is None or method in route.methods:
                if environ.get("HTTP_USER_AGENT", "").strip().startswith("Mozilla/"):
                    return _BROWSER, True
                return self._call(route, match.groups(), environ), True
        return _WRONG_METHOD, False

    def _call(self, route: Route, names: tuple[str, ...], environ: dict[str, Any]) -> Answer:
        limit = gevent.Timeout(REQUEST_LIMIT_S)
        limit.start()
        try:
            try:
                body = environ["wsgi.input"].read(BODY_LIMIT_BYTES + 1)
            except OSError:
                return _error(400, "bad request body: unexpected EOF")
            if len(body) > BODY_LIMIT_BYTES:
                return _error(400, "bad request body: http: request body too large")
            return route.call(*names, body)
        except gojson.BodyError as error:
            return _error(400, f"bad request body: {error}")
        except ApiError as error:
            return _error(error.status, str(error))
        except gevent.Timeout as passed:
            if passed is not limit:
                raise
            return _TOO_SLOW
        finally:
            limit.close()

    def _request_id(self) -> str:
        """Twenty characters that sort by time, as xid makes them."""
        raw = int(time.time()).to_bytes(4, "big") + self._machine + (os.getpid() & 0xFFFF).to_bytes(2, "big")
        raw += (next(self._request_ids) & 0xFFFFFF).to_bytes(3, "big")
        return base64.b32hexencode(raw).decode()[:20].lower()

    def _version(self, body: bytes) -> Answer:
        return Answer(200, f'{{"version": "{VERSION}"}}\n'.encode(), "application/json;charset=utf-8")

    def _list(self, body: bytes) -> Answer:
        return _ok({proxy.name: proxy.as_json() for proxy in self._collection})

    def _create(self, body: bytes) -> Answer:
        return _ok(self._collection.create(gojson.proxy_input(gojson.read(body))).as_json(), 201)

    def _show(self, name: str, body: bytes) -> Answer:
        return _ok(self._collection.proxy(name).as_json())

    def _update(self, name: str, body: bytes) -> Answer:
        self._collection.proxy(name)
        return _ok(self._collection.update(name, gojson.proxy_input(gojson.read(body))).as_json())

    def _delete(self, name: str, body: bytes) -> Answer:
        self._collection.delete(name)
        return _NOTHING

    def _list_toxics(self, name: str, body: bytes) -> Answer:
        return _ok([toxic.as_json() for toxic in self._collection.proxy(name).ordered_toxics()])

    def _add_toxic(self, name: str, body: bytes) -> Answer:
        return _ok(self._collection.add_toxic(name, body).as_json())

    def _show_toxic(self, name: str, toxic: str, body: bytes) -> Answer:
        return _ok(self._collection.toxic(name, toxic).as_json())

    def _update_toxic(self, name: str, toxic: str, body: bytes) -> Answer:
        return _ok(self._collection.update_toxic(name, toxic, body).as_json())

    def _remove_toxic(self, name: str, toxic: str, body: bytes) -> Answer:
        self._collection.remove_toxic(name, toxic)
        return _NOTHING

    def _reset(self, body: bytes) -> Answer:
        self._collection.reset()
        return _NOTHING

    def _populate(self, body: bytes) -> Answer:
        try:
            items = gojson.read(body)
            if items is not None and not isinstance(items, list):
                raise gojson.mismatch_value(items, "[]toxiproxy.Proxy")
            done = self._collection.populate([gojson.proxy_input(item) for item in items or ()])
        except gojson.BodyError as error:
            refused = PopulateError(400, f"bad request body: {error}", None)
        except PopulateError as error:
            refused = error
        else:
            return _ok({"proxies": proxies_json(done)}, 201)
        return _ok(
            {"error": str(refused), "status": refused.status, "proxies": proxies_json(refused.done)},
            refused.status,
        )

    def _show_metrics(self, body: bytes) -> Answer:
        text = self._metrics() if self._metrics is not None else ""
        return Answer(200, text.encode(), "text/plain; version=0.0.4; charset=utf-8")
