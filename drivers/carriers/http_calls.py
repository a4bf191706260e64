"""The requests of the chat protocol as HTTP calls, and their answers as its messages (docs/protocol.md).

Both directions by type of message: `call_for` and `answer_to` know nothing of connections or of time.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, get_args, get_origin
from urllib.parse import quote

import msgspec

from drivers.carriers.http_line import Answer, Call
from protocol import messages
from protocol.errors import RemoteProtocolError
from protocol.messages import Error, Message

S = TypeVar("S", bound=msgspec.Struct)

PATIENCE_S = 10.0
"""How long a short request may take before its connection counts as dead."""
_MAX_TEXT_CHARS = 1024


def inbox(after: int, limit: int, purpose: object, wait_s: float = 0.0) -> Call:
    """What came after a version; held for `wait_s` while that is nothing."""
    held = f"&wait_s={wait_s:g}" if wait_s else ""
    target = f"/v1/inbox?after={after}&limit={max(1, limit)}{held}"
    return Call("GET", target, b"", purpose, wait_s + PATIENCE_S)


def page_of(answer: Answer) -> messages.Pulled:
    """What `inbox` was answered with. Raises RemoteProtocolError for what is no page."""
    return _read_as(messages.Pulled, answer.body)


def call_for(message: Message) -> Call:
    """The HTTP call that asks for the same. Raises KeyError for what has none."""
    return _CALLS[type(message)](message)


def has_call(message: Message) -> bool:
    """Whether `call_for` knows it."""
    return type(message) in _CALLS


def answer_to(message: Message, answer: Answer) -> Message:
    """What the server says to `message`, problems as an ERROR. Raises RemoteProtocolError."""
    if answer.status != 200:
        return problem(answer, getattr(message, "cid", None))
    return _read_as(_REPLIES[type(message)], answer.body)


def problem(answer: Answer, cid: str | None) -> Error:
    """An answer other than 200, fatal when it is not about a single request. Raises RemoteProtocolError for
    what is no problem of the server: a page of a proxy or of a captive portal, which turns down nobody."""
    try:
        told = msgspec.json.decode(answer.body, type=_Problem)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RemoteProtocolError(
            f"HTTP status {answer.status}, and not by a chat server: {error}"
        ) from error
    text = (told.detail or told.title or f"HTTP status {answer.status}")[:_MAX_TEXT_CHARS]
    if answer.status == 401:
        return Error(answer.status, text, None, True)
    return Error(answer.status, text, cid, False)


class _Problem(msgspec.Struct):
    title: str = ""
    detail: str = ""


def _send(message: messages.Send) -> Call:
    body = {
        "cid": message.cid, "to": message.to, "kind": message.kind, "body": message.body,
        "sent_at_ms": message.sent_at_ms,
    }  # fmt: skip
    return _post("/v1/messages", body, message)


def _send_package(message: messages.SendPackage) -> Call:
    items = [{"kind": item.kind, "body": item.body} for item in message.items]
    return _post("/v1/messages", {"cid": message.cid, "to": message.to, "items": items}, message)


def _read(message: messages.Read) -> Call:
    return _post("/v1/read", {"conversation": message.conversation, "sequence": message.sequence}, message)


def _pull(message: messages.Pull) -> Call:
    return inbox(message.after, message.limit, message)


def _unread(message: messages.Unread) -> Call:
    return _get("/v1/unread", message)


def _contacts(message: messages.Contacts) -> Call:
    return _get(f"/v1/contacts?after={message.after}&limit={max(1, message.limit)}", message)


def _history(message: messages.History) -> Call:
    path = f"/v1/conversations/{quote(message.conversation, safe='')}/messages"
    return _get(f"{path}?before={message.before}&limit={max(1, message.limit)}", message)


def _get(target: str, message: Message) -> Call:
    return Call("GET", target, b"", message, PATIENCE_S)


def _post(target: str, body: dict[str, object], message: Message) -> Call:
    return Call("POST", target, msgspec.json.encode(body), message, PATIENCE_S)


# Each takes just the message it is listed for, hence Any.
_CALLS: dict[type[Message], Callable[[Any], Call]] = {
    messages.Send: _send,
    messages.SendPackage: _send_package,
    messages.Read: _read,
    messages.Pull: _pull,
    messages.Unread: _unread,
    messages.Contacts: _contacts,
    messages.History: _history,
}


_REPLIES: dict[type[Message], type[Message]] = {
    messages.Send: messages.Sent,
    messages.SendPackage: messages.PackageSent,
    messages.Read: messages.ReadUpdate,
    messages.Pull: messages.Pulled,
    messages.Unread: messages.UnreadCounts,
    messages.Contacts: messages.ContactList,
    messages.History: messages.HistoryPage,
}


def _read_as(kind: type[S], body: bytes) -> S:
    try:
        found = msgspec.json.decode(body, type=_as_object(kind))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RemoteProtocolError(f"{kind.__name__} over HTTP: {error}") from error
    return _as_array(kind, found)


@cache
def _as_object(kind: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """The same fields, in JSON by name instead of by place."""
    held = {name: within for name, within in _fields(kind) if within is not None}
    fields: list[tuple[str, Any]] = [
        (field.name, list[_as_object(held[field.name])] if field.name in held else field.type)  # type: ignore[misc]
        for field in msgspec.structs.fields(kind)
    ]
    return msgspec.defstruct(f"{kind.__name__}Object", fields, gc=False)


def _as_array(kind: type[S], found: msgspec.Struct) -> S:
    values: list[Any] = []
    for name, within in _fields(kind):
        value = getattr(found, name)
        values.append(value if within is None else [_as_array(within, each) for each in value])
    return kind(*values)


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[tuple[str, type[msgspec.Struct] | None], ...]:
    """Name and, where it is a list of structs, what it holds."""
    return tuple((field.name, _within(field.type)) for field in msgspec.structs.fields(kind))


def _within(annotated: Any) -> type[msgspec.Struct] | None:
    """What a list of structs holds; None for any other type."""
    held = get_args(annotated)[0] if get_origin(annotated) is list else None
    return held if isinstance(held, type) and issubclass(held, msgspec.Struct) else None
