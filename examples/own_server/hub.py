"""Who is connected, and one function for each request that a client may make, whichever way it comes."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Protocol

from .messages import (
    Contacts,
    Entry,
    History,
    Message,
    Ping,
    Pull,
    Pushed,
    Read,
    Send,
    SendPackage,
    Unread,
)
from .store import Store


class Line(Protocol):
    """A logged-in connection, as far as the hub cares."""

    def push(self, entry: Entry) -> None: ...
    def tell(self, message: Message) -> None: ...


class Hub:
    def __init__(self, store: Store, step: int) -> None:
        self.store = store
        self.step = step
        self.lines: dict[str, dict[str, Line]] = defaultdict(dict)
        self.polls: dict[str, set[asyncio.Event]] = defaultdict(set)

    def ask(self, user: str, device: str, line: Line | None, asked: Message) -> Message:
        """The answer. Raises Refused."""
        answer: Message = ANSWERS[type(asked)](self, user, device, line, asked)
        return answer

    def others(self, user: str, line: Line | None) -> list[Line]:
        return [each for each in self.lines.get(user, {}).values() if each is not line]

    def send(self, user: str, device: str, line: Line | None, asked: Send | SendPackage) -> Message:
        answer, deliveries = self.store.send(user, device, asked)
        for party, entry in deliveries:
            for each in self.others(party, line):
                each.push(entry)
            for poll in self.polls.get(party, ()):
                poll.set()
        return answer

    def read(self, user: str, device: str, line: Line | None, asked: Read) -> Message:
        update, is_further = self.store.read(user, asked)
        for each in self.others(user, line) if is_further else ():
            each.tell(update)
        return update


ANSWERS: dict[type[Message], Callable[..., Any]] = {
    Send: Hub.send,
    SendPackage: Hub.send,
    Pull: lambda hub, user, _, __, asked: hub.store.pull(user, asked),
    Unread: lambda hub, user, *_: hub.store.unread(user),
    Read: Hub.read,
    History: lambda hub, user, _, __, asked: hub.store.history(user, asked),
    Contacts: lambda hub, user, _, __, asked: hub.store.contacts(user, asked.after, asked.limit),
}

STEPS: dict[type[Message], int] = {
    Ping: 1, Send: 2, Pull: 2, Pushed: 3, Unread: 4, Read: 4, Contacts: 4, History: 4, SendPackage: 5,
}  # fmt: skip
"""At which step of the guide a request is added; `--step` leaves out what comes later."""
