"""How mutants get between the parts of the reference server, in a process that is to be one."""

import uuid
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from protocol.messages import Error, Message, Pushed, Read, decode_body
from refserver.access.node import AccessNode
from refserver.business import planning
from refserver.storage import Storage

replace = msgspec.structs.replace


def around(owner: Any, name: str, instead: Callable[..., Any]) -> None:
    """`owner.name(…)` becomes `instead(as it was, …)`; `owner` is a class or a module."""
    before = getattr(owner, name)

    def patched(*args: Any, **kwargs: Any) -> Any:
        return instead(before, *args, **kwargs)

    setattr(owner, name, patched)


def put(owner: Any, name: str, value: object) -> None:
    """`owner.name` is `value`."""
    setattr(owner, name, value)


def asked(kind: type[Message], change: Callable[[str, Any], Message]) -> None:
    """Every question of a kind reaches the store as `change(user, question)`."""

    def answer(answer: Any, self: Any, questions: Any) -> Any:
        return answer(
            self, [(user, change(user, it) if isinstance(it, kind) else it) for user, it in questions]
        )

    around(Storage, "answer", answer)


def answered(kind: type[Message], change: Callable[[str, Any, Any], Message]) -> None:
    """Every answer to a question of a kind leaves the store as `change(user, question, answer)`."""

    def answer(answer: Any, self: Any, questions: Any) -> Any:
        return [
            change(user, question, found)
            if isinstance(question, kind) and not isinstance(found, Error)
            else found
            for (user, question), found in zip(questions, answer(self, questions), strict=True)
        ]

    around(Storage, "answer", answer)


def acknowledged(tell: Callable[[Any, int], None]) -> None:
    """`tell(connection, version)` is called for each PUSHED."""

    def take(take: Any, self: Any, connection: Any, kind: int, body: bytes) -> None:
        take(self, connection, kind, body)
        if kind == Pushed.TYPE and connection.presence is not None:
            message = decode_body(kind, body)
            assert isinstance(message, Pushed)
            tell(connection, message.version)

    around(AccessNode, "_take", take)


def key_of(request: Any) -> tuple[str, str, str]:
    """What a send is known by."""
    return request.user, request.device, request.message.cid


def store_anew(send: Any, plan: Any, request: Any) -> Any:
    """The answer to a send, which is stored even if it is a repeat."""
    own = replace(request.message, cid=uuid.uuid4().hex)
    return replace(send(plan, request._replace(message=own)), cid=request.message.cid)


def conversation_of(plan: Any, request: Any) -> Any:
    """The conversation that a send belongs to, as the plan knows it; None if there is none."""
    return plan._memory.conversations.get(planning.conversation_of(request.user, request.message.to))


class _Nobody:
    """The node of who waits for no answer."""

    name = "nobody"

    def reply(self, connection: int, message: Message) -> None:
        """Nobody hears it."""


_NOBODY = _Nobody()


def read_unasked(service: Any, user: str, entries: Iterable[Any]) -> None:
    """`entries` of an inbox or a history are marked as read, although none of the user's devices said so."""
    points: dict[str, int] = {}
    for entry in entries:
        points[entry.conversation] = max(points.get(entry.conversation, 0), entry.sequence)
    for conversation, sequence in points.items():
        service.request(_NOBODY, 0, user, "", Read(conversation, sequence))
