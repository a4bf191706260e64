"""HTTP from socket to route and back, over a socket pair: each answer is whole, and none is error 500."""

import contextlib
import json
import socket
import time
from base64 import b64encode
from random import Random
from typing import Any
from urllib.parse import quote

import gevent
from fuzzing import damaged, pieces, target

from protocol.messages import (
    ContactList,
    Contacts,
    Error,
    History,
    HistoryPage,
    Message,
    PackageSent,
    Placed,
    Pull,
    Pulled,
    Read,
    ReadUpdate,
    Send,
    SendPackage,
    Sent,
    Unread,
    UnreadCounts,
)  # fmt: skip
from reactor import sockets
from refserver.access.http import routes
from refserver.access.http.exchange import Exchange
from refserver.access.http.server import Accounts, HttpNode
from refserver.face import Node
from refserver.tokens import TokenSigner

_BODY = b64encode(b"hello").decode()
_BODIES: dict[str, list[Any]] = {
    "/v1/messages": [
        {"cid": "c1", "to": "u2", "kind": "text", "body": _BODY, "sent_at_ms": 5},
        {"cid": "c1", "to": "g:one", "items": [{"kind": "text", "body": _BODY}] * 3, "device": "d"},
    ],
    "/v1/read": [{"conversation": "u1:u2", "sequence": 3}],
    "/v1/tokens": [{"user": "u1", "password": "right"}],
}
_QUERIES = (
    "after=0", "limit=5", "wait_s=9", "before=3", "after=-1", "limit=x", "after=1&after=2", "%", "a=b", "",
)  # fmt: skip
_VALUES = (None, True, -1, 0, 1.0, 1.5, 2**63, 10**400, "", "x" * 65, "\x00", "😀", [], {}, [[]], "=", "YQ==")
_METHODS = (
    *["GET"] * 12, "POST", "POST", "HEAD", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "get", "G ET",
)  # fmt: skip
_PATHS = (
    "/", "*", "//", "/v1/resolve?name=x", "/v1/conversations//messages", "/healthz/", "http://h/healthz",
    "/%00",
)  # fmt: skip
_VERSIONS = (*["1.1"] * 20, "1.0", "1.0", "2.0", "0.9")
_FIELDS = (
    "Connection: close", "Connection: keep-alive", "Connection: upgrade\r\nUpgrade: websocket",
    "Expect: 100-continue", "Content-Length: 3", "Content-Length: -1", "Content-Length: 99999999999999999999",
    "Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked", "X-Device: d1", "X-Device: " + "x" * 65,
    "Authorization: Bearer x", "Authorization: Basic dTpw", "Host: y", " folded", "Bad header", "X:", ": x",
    "X-Long: " + "x" * 17_000, "\x00: \xff",
)  # fmt: skip


class _Answering:
    """Business that answers before `request` returns, now and then with an error."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance

    def attach(self, node: Node, connection: int, user: str, device: str) -> None:
        raise AssertionError("a call does not attach")

    def detach(self, node: Node, user: str) -> None: ...

    def watch(self, node: Node, user: str) -> None: ...

    def request(self, node: Node, connection: int, user: str, device: str, message: Message) -> None:
        node.reply(connection, self._answer(message))

    def _answer(self, message: Message) -> Message:
        if self._chance.random() < 0.05:
            return Error(self._chance.choice((403, 404, 413, 415, 429, 503)), "retry_after_ms=1500", "c")
        match message:
            case Send(cid=cid):
                return Sent(cid, 1, "u1:u2", 1, 1, 1)
            case SendPackage(cid=cid, items=items):
                return PackageSent(cid, "u1:u2", [Placed(1, 1)] * len(items), 1, 1)
            case Pull():
                return Pulled([], 0, False)
            case Read(conversation=name, sequence=sequence):
                return ReadUpdate(name, sequence, 0, 0)
            case Unread():
                return UnreadCounts(0, [])
            case Contacts():
                return ContactList([])
            case History():
                return HistoryPage([], False)
        raise AssertionError(f"{message} is no request of HTTP")


@target("http")
class Http:
    def __init__(self, chance: Random) -> None:
        signer = TokenSigner(b"a secret of the tests")
        self._accounts = Accounts(signer, lambda user, password: user == "u1")
        self._node = HttpNode("http", _Answering(chance), self._accounts, lambda: [("tcp://h:1", 1)])
        self._token = signer.issue("u1", 1e9)
        self._paths = [each.path.replace("{conversation}", "u1%3Au2") for each in routes.load()]
        self._another = self._one(chance)

    def next_input(self, chance: Random) -> bytes:
        data = b"".join(self._one(chance) for _ in range(chance.choice((1, 1, 1, 2, 4))))
        self._another, other = data, self._another
        return damaged(data, chance, other) if chance.random() < 0.4 else data

    def _one(self, chance: Random) -> bytes:
        method, path, body = chance.choice(_METHODS), chance.choice(self._paths), b""
        if chance.random() < 0.05:
            path = chance.choice(_PATHS)
        if path in _BODIES and chance.random() < 0.9:
            method, body = "POST", self._body(chance, path)
        elif chance.random() < 0.5:
            path += "?" + "&".join(chance.choice(_QUERIES) for _ in range(chance.choice((1, 1, 2, 20))))
        fields = ["Host: x", f"Authorization: Bearer {self._token}"]
        fields += (chance.choice(_FIELDS) for _ in range(chance.choice((0, 0, 0, 0, 1, 3))))
        if body and chance.random() < 0.2:
            fields.append("Transfer-Encoding: chunked")
            body = (
                b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in pieces(body, chance)) + b"0\r\n\r\n"
            )
        elif body or method == "POST":
            fields.append(f"Content-Length: {len(body)}")
        version = chance.choice(_VERSIONS)
        return "\r\n".join([f"{method} {path} HTTP/{version}", *fields, "", ""]).encode("latin-1") + body

    def _body(self, chance: Random, path: str) -> bytes:
        body = dict(chance.choice(_BODIES[path]))
        for name in list(body):
            match chance.randrange(20):
                case 0:
                    body[name] = chance.choice(_VALUES)
                case 1:
                    del body[name]
                case 2:
                    body[quote(name) + "x"] = body[name]
        data = json.dumps(body).encode()
        if chance.random() < 0.01:
            data = b"[" * 5000 + b"]" * 5000
        return data

    def feed(self, data: bytes, chance: Random) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            ours.setblocking(False)
            theirs.setblocking(False)
            exchange = self._node.adopt(ours.detach(), time.monotonic())
            # What does not fit the kernel's buffers any more is not sent: others go on reading, we do not.
            with contextlib.suppress(BlockingIOError, ConnectionError):
                for piece in pieces(data, chance):
                    theirs.send(piece)
                    self._read(exchange, len(piece))
            if self._accounts.under_way:
                gevent.sleep(0)
            self._node.close(exchange)
            told = _everything(theirs)
        assert (self._node.count, self._node.calls_under_way) == (0, 0)
        _check(told)

    def _read(self, exchange: Exchange, size_bytes: int) -> None:
        for _ in range(0, size_bytes, sockets.READ_BYTES):
            if self._node.count and exchange.wants_read:
                exchange.readable(time.monotonic())

    def close(self) -> None:
        self._node.stop()


def _everything(connection: socket.socket) -> bytes:
    told = b""
    with contextlib.suppress(ConnectionResetError):
        while data := connection.recv(1 << 20):
            told += data
    return told


def _check(told: bytes) -> None:
    """Answers one after the other, each as long as it says; that to a HEAD ends with its header."""
    rest, is_last = told, False
    while rest:
        assert not is_last, f"after the last answer came {rest[:100]!r}"
        header, end, rest = rest.partition(b"\r\n\r\n")
        assert end, f"half an answer: {header!r}"
        line, *lines = header.decode("latin-1").split("\r\n")
        version, status, _ = line.split(" ", 2)
        assert version == "HTTP/1.1", line
        if status == "100":
            continue
        fields = dict(each.split(": ", 1) for each in lines)
        is_last = fields.get("Connection") == "close"
        if rest.startswith(b"{"):
            size_bytes = int(fields["Content-Length"])
            body, rest = rest[:size_bytes], rest[size_bytes:]
            _check_body(int(status), fields, json.loads(body))


def _check_body(status: int, fields: dict[str, str], body: Any) -> None:
    if status == 200:
        assert fields["Content-Type"] == "application/json"
        return
    assert status != 500, body
    assert fields["Content-Type"] == "application/problem+json"
    assert body["status"] == status
    assert body["detail"]
    needed = {401: "WWW-Authenticate", 405: "Allow", 429: "Retry-After", 503: "Retry-After"}.get(status)
    assert needed is None or needed in fields, fields
