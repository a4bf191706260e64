"""Short HTTP requests as one user: the other way into the same inbox."""

import base64
import http.client
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlsplit

import gevent.socket
import gevent.ssl

from conformance.phone import fresh_cid
from drivers.pumps.wire import Expected

_HEARD_BYTES = 200


Hear = Callable[[str, str, object], None]


@dataclass(frozen=True, slots=True)
class Reply:
    """`content`: the JSON of the body, None when it is none. `took_s`: from request to last byte."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    content: Any
    took_s: float


def trusting(ca: Path | None) -> "gevent.ssl.SSLContext":
    """For a client that verifies certificate and name, by the authority of the PEM or those of the system."""
    # The library's own default is made for sockets that hold up the whole hub while they wait.
    context = gevent.ssl.SSLContext(gevent.ssl.PROTOCOL_TLS_CLIENT)
    if ca is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(ca)
    return context


class Web:
    """One kept-alive connection; one request at a time. `token` None sends no Authorization. `ca`: PEM of the
    authority to trust over https, None for those of the system. `hear`: told direction ("up", "down"), head
    and content of each request and answer. `source`: an address of this machine to come from."""

    def __init__(
        self,
        url: str,
        token: str | None,
        device: str = "http",
        timeout_s: float = 15.0,
        *,
        ca: Path | None = None,
        hear: Hear = lambda direction, head, content: None,
        source: str | None = None,
    ) -> None:
        self._hear = hear
        self._source = None if source is None else (source, 0)
        parts = urlsplit(url)
        is_secure = parts.scheme == "https"
        self._address = (parts.hostname or "127.0.0.1", parts.port or (443 if is_secure else 80))
        self._connection = http.client.HTTPConnection(*self._address)
        self._context = trusting(ca) if is_secure else None
        self._token = token
        self._device = device
        self._timeout_s = timeout_s

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def call(
        self, method: str, path: str, content: object = None, *, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """The answer, whatever its status. Raises Expected when there is none in time."""
        connection = self._connection
        sent = {"X-Device": self._device, **(headers or {})}
        if self._token is not None:
            sent.setdefault("Authorization", f"Bearer {self._token}")
        body = None if content is None else json.dumps(content).encode()
        self._hear("up", f"{method} {path}", content)
        began = time.monotonic()
        # The suite's sockets are the hub's: one that waits lets the others go on.
        if connection.sock is None:
            plain = gevent.socket.create_connection(self._address, self._timeout_s, self._source)
            self._connected(plain)
            secure = self._context
            connection.sock = (
                plain if secure is None else secure.wrap_socket(plain, server_hostname=self._address[0])
            )
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            data = response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            if not isinstance(error, TimeoutError) or error.errno is not None:
                raise
            raise Expected(f"{method} {path}: expected an answer within {self._timeout_s} s") from error
        took_s = time.monotonic() - began
        try:
            found = json.loads(data)
        except ValueError:
            found = None
        said = data[:_HEARD_BYTES].decode(errors="replace") if found is None and data else found
        self._hear("down", str(response.status), said)
        return Reply(response.status, dict(response.headers.items()), data, found, took_s)

    def _connected(self, connection: gevent.socket.socket) -> None:
        """A new connection is there."""

    def ask(self, method: str, path: str, content: object = None) -> Any:
        """The JSON of an answer 200. Raises Expected for any other."""
        reply = self.call(method, path, content)
        if reply.status != 200 or reply.content is None:
            raise Expected(f"{method} {path}: expected 200 and JSON, got {reply.status} {reply.body[:200]!r}")
        return reply.content

    # -- the calls of the protocol

    def try_to_say(self, to: str, body: bytes, *, kind: str = "text", cid: str | None = None) -> Reply:
        """POST /v1/messages with one message; the answer as it is."""
        content = {"cid": cid or fresh_cid(), "to": to, "kind": kind, "body": _base64(body)}
        return self.call("POST", "/v1/messages", content)

    def say(self, to: str, body: bytes, *, cid: str | None = None) -> dict[str, Any]:
        """The fields of its SENT. Raises Expected when it is refused."""
        reply = self.try_to_say(to, body, cid=cid)
        if reply.status != 200:
            raise Expected(f"POST /v1/messages to {to}: expected 200, got {reply.status} {reply.body!r}")
        found: dict[str, Any] = reply.content
        return found

    def say_package(self, to: str, bodies: list[bytes], *, cid: str | None = None) -> dict[str, Any]:
        """The fields of its PACKAGE_SENT. Raises Expected when it is refused."""
        items = [{"kind": "text", "body": _base64(body)} for body in bodies]
        found: dict[str, Any] = self.ask(
            "POST", "/v1/messages", {"cid": cid or fresh_cid(), "to": to, "items": items}
        )
        return found

    def poll(self, after: int = 0, *, wait_s: float = 0.0, limit: int = 1000) -> "Poll":
        """GET /v1/inbox: short with `wait_s` 0, long otherwise."""
        query = f"after={after}&limit={limit}" + (f"&wait_s={wait_s:g}" if wait_s else "")
        reply = self.call("GET", f"/v1/inbox?{query}")
        if reply.status != 200:
            raise Expected(f"GET /v1/inbox?{query}: expected 200, got {reply.status} {reply.body!r}")
        entries = reply.content["entries"]
        return Poll(
            [entry["version"] for entry in entries],
            [base64.b64decode(entry["body"]) for entry in entries],
            entries,
            reply.content["newest"],
            reply.content["more"],
            reply.took_s,
        )

    def history(self, conversation: str) -> list[dict[str, Any]]:
        """The newest page of a conversation."""
        page: list[dict[str, Any]] = self.ask("GET", history_path(conversation))["entries"]
        return page


@dataclass(frozen=True, slots=True)
class Poll:
    """What GET /v1/inbox answered."""

    versions: list[int]
    bodies: list[bytes]
    entries: list[dict[str, Any]]
    newest: int
    more: bool
    took_s: float


def history_path(conversation: str) -> str:
    """Where the history of a conversation is asked for."""
    return f"/v1/conversations/{quote(conversation, safe='')}/messages?limit=100"


def _base64(body: bytes) -> str:
    return base64.b64encode(body).decode()
