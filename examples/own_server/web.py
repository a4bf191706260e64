"""Short requests over HTTP/1.1: JSON in, the same answers as over TCP, JSON out."""

import asyncio
import hmac
import http
from contextlib import suppress
from typing import Annotated, Any
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec
from msgspec import Meta

from .hub import Hub
from .messages import (
    Address,
    Contacts,
    History,
    Item,
    Message,
    N,
    Name,
    Pull,
    Pulled,
    Read,
    Refused,
    Send,
    SendPackage,
    Unread,
)
from .store import hashed

TOKEN_S, MAX_CONTENT, MAX_WAIT_S, IDLE_S = 24 * 3600, 2 << 20, 60.0, 75


class Query(msgspec.Struct):
    after: N = 0
    before: N = 0
    limit: Annotated[int, Meta(ge=1)] = 100
    wait_s: Annotated[float, Meta(ge=0)] = 0.0


class Credentials(msgspec.Struct):
    user: str
    password: str


class PostedItem(msgspec.Struct):
    kind: Name
    body: bytes


class Posted(msgspec.Struct):
    """One message, or the items of a package."""

    cid: Name
    to: Address
    kind: Name = ""
    body: bytes = b""
    items: Annotated[list[PostedItem], Meta(min_length=1, max_length=100)] | None = None


class PostedRead(msgspec.Struct):
    conversation: Address
    sequence: N


class Request(msgspec.Struct):
    method: str
    path: str
    query: str
    headers: dict[str, str]
    content: bytes


async def serve(hub: Hub, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One kept-alive connection; what is no HTTP ends it."""
    with suppress(TimeoutError, OSError, EOFError, asyncio.LimitOverrunError, ValueError):
        while True:
            async with asyncio.timeout(IDLE_S):
                request = await _next(reader)
            try:
                status, found = 200, await _answer(hub, request)
            except Refused as refused:
                status, found = refused.code, refused.text
            except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
                status, found = 400, str(error)
            writer.write(_response(status, found))
            await writer.drain()
    writer.close()


async def _next(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    length = int(headers.get("content-length", 0))
    if "transfer-encoding" in headers or not 0 <= length <= MAX_CONTENT:
        raise ValueError("only bodies with a Content-Length, and not too long ones")
    parts = urlsplit(target)
    return Request(method, parts.path, parts.query, headers, await reader.readexactly(length))


def _response(status: int, found: Any) -> bytes:
    kind, extra = "application/json", ""
    if status != 200:
        phrase = http.HTTPStatus(status).phrase
        kind, found = "application/problem+json", {"title": phrase, "status": status, "detail": found}
    if status == 401:
        extra = "WWW-Authenticate: Bearer\r\n"
    body = msgspec.json.encode(found)
    head = f"HTTP/1.1 {status} -\r\nContent-Type: {kind}\r\n{extra}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def _answer(hub: Hub, request: Request) -> Any:
    if (request.method, request.path) == ("POST", "/v1/tokens"):
        return await _token(hub, msgspec.json.decode(request.content, type=Credentials))
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    user = hub.store.user_of(token if scheme == "Bearer" else "")
    device = msgspec.convert(request.headers.get("x-device", "http"), Name)
    values = {name: each[-1] for name, each in parse_qs(request.query).items()}
    query = msgspec.convert(values, Query, strict=False)
    asked = _asked(request, query)
    if isinstance(asked, Pull) and query.wait_s:
        return _fields(await _long_poll(hub, user, asked, min(query.wait_s, MAX_WAIT_S)))
    return _fields(hub.ask(user, device, None, asked))


def _asked(request: Request, query: Query) -> Message:
    """The message of the protocol that a request stands for. Raises Refused, MsgspecError."""
    match request.method, request.path.split("/")[1:]:
        case "POST", ["v1", "messages"]:
            posted = msgspec.json.decode(request.content, type=Posted)
            if posted.items is None:
                return Send(posted.cid, posted.to, posted.kind, posted.body)
            items = [Item(item.kind, item.body) for item in posted.items]
            return SendPackage(posted.cid, posted.to, items)
        case "POST", ["v1", "read"]:
            read = msgspec.json.decode(request.content, type=PostedRead)
            return Read(read.conversation, read.sequence)
        case "GET", ["v1", "inbox"]:
            return Pull(query.after, query.limit)
        case "GET", ["v1", "unread"]:
            return Unread()
        case "GET", ["v1", "contacts"]:
            return Contacts(query.after, query.limit)
        case "GET", ["v1", "conversations", name, "messages"]:
            return History(unquote(name), query.before, query.limit)
    raise Refused(404, "there is no such request")


async def _long_poll(hub: Hub, user: str, asked: Pull, wait_s: float) -> Pulled:
    """Looks again at each message; asked to be woken before it looks, so that none falls between."""
    woken = asyncio.Event()
    hub.polls[user].add(woken)
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                while not (page := hub.store.pull(user, asked)).entries:
                    await woken.wait()
                    woken.clear()
    finally:
        hub.polls[user].discard(woken)
    return page


async def _token(hub: Hub, given: Credentials) -> dict[str, str]:
    kept = hub.store.password_of(given.user)
    found = await asyncio.to_thread(hashed, given.password, kept[:16])
    if not hmac.compare_digest(found, kept):
        raise Refused(401, "unknown user or wrong password")
    return {"token": hub.store.issue_token(given.user, TOKEN_S)}


def _fields(value: Any) -> Any:
    """Messages with the names of their fields instead of their places."""
    if isinstance(value, msgspec.Struct):
        return {name: _fields(each) for name, each in msgspec.structs.asdict(value).items()}
    return [_fields(each) for each in value] if isinstance(value, list) else value
