"""A client that waits for what it did, so that a conformance case reads like a script.

A case does something with a `Device` and awaits the event that must follow.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self, TypeVar

import gevent.event

from drivers import events
from drivers.client import Client, Surroundings
from drivers.contract import AskContacts, AskHistory, AskRead, AskUnread, Identity, Outgoing, OutgoingPackage
from drivers.endpoints import Endpoint
from drivers.events import Event
from drivers.policy import Policy
from drivers.pumps.lossy import Lose, with_loss
from drivers.pumps.single import SinglePump
from drivers.pumps.wire import Expected
from protocol.messages import Entry, Item

E = TypeVar("E", bound=Event)
T = TypeVar("T")


class _OneIdentity:
    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    def identity(self, index: int) -> Identity:
        return self._identity


class Device:
    """A running client. Use it as a context manager: at the end the connection is closed.

    `lose(direction, message)` may be set at any time to drop whole frames between client and server, as a
    lossy path would: it is asked for each frame with "up" or "down" and says True to lose it. `patience`: by
    what every time limit of those who wait is multiplied, where the network is broken on purpose. `source`:
    an address of this machine to come from.
    """

    def __init__(
        self,
        endpoints: tuple[Endpoint, ...],
        identity: Identity,
        *,
        policy: Policy | None = None,
        version: int = 0,
        source: str | None = None,
    ) -> None:
        self.identity = identity
        self.events: list[Event] = []
        self.happened_at: list[float] = []
        endpoints = tuple(with_loss(endpoint, self._loses) for endpoint in endpoints)
        shared = Surroundings(endpoints, _OneIdentity(identity), policy or Policy(), self._observe)
        self.client = Client(shared, 0, version=version)
        self.patience = 1.0
        self._news = gevent.event.Event()
        self._pump = SinglePump(self.client, source)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def lose(self) -> Lose | None:
        """Which frames the path loses."""
        return self._pump.lose

    @lose.setter
    def lose(self, lose: Lose | None) -> None:
        self._pump.lose = lose

    # -- doing --

    def start(self) -> Self:
        """Connect and log in; returns at once."""
        self.client.start(time.monotonic())
        self._pump.wake()
        return self

    def log_in(self, timeout_s: float = 10.0) -> events.LoggedIn:
        """Connect and log in; returns when the server has let the device in."""
        seen = len(self.events)
        self.start()
        return self.await_event(events.LoggedIn, since=seen, timeout_s=timeout_s)

    def leave(self) -> None:
        """Say goodbye and stay away until `start`."""
        self.client.leave(time.monotonic())
        self._pump.wake()

    def cut(self) -> None:
        """Reset the connection without a word; the client comes back as its policy says."""
        self._pump.cut()

    def close(self) -> None:
        """End everything; without `leave` before, there is no farewell. Twice is allowed."""
        self._pump.close()

    def send(self, to: str, body: bytes, *, kind: str = "text", cid: str | None = None) -> str:
        """Send until answered; returns the client message id at once, a new one if none is given."""
        cid = secrets.token_hex(8) if cid is None else cid
        self.client.send(Outgoing(cid, to, kind, body, int(time.time() * 1000)), time.monotonic())
        self._pump.wake()
        return cid

    def send_and_await(
        self, to: str, body: bytes, *, kind: str = "text", cid: str | None = None, timeout_s: float = 10.0
    ) -> events.Acked:
        """Send and return the acknowledgement. Raises Expected when it is rejected or none comes."""
        seen = len(self.events)
        cid = self.send(to, body, kind=kind, cid=cid)
        answer = self._await_answer(cid, seen, timeout_s)
        if isinstance(answer, events.Acked):
            return answer
        raise Expected(f"send {cid} to {to}: expected SENT within {timeout_s} s, {_said(answer)}")

    def send_package(self, to: str, bodies: Sequence[bytes], *, cid: str | None = None) -> str:
        """Send messages of kind text as one package until answered; returns its id at once."""
        cid = secrets.token_hex(8) if cid is None else cid
        items = tuple(Item("text", body) for body in bodies)
        self.client.send(OutgoingPackage(cid, to, items), time.monotonic())
        self._pump.wake()
        return cid

    def send_package_and_await(
        self, to: str, bodies: Sequence[bytes], *, cid: str | None = None, timeout_s: float = 10.0
    ) -> events.PackageAcked:
        """Send a package and return its acknowledgement. Raises Expected like `send_and_await`."""
        seen = len(self.events)
        cid = self.send_package(to, bodies, cid=cid)
        answer = self._await_answer(cid, seen, timeout_s)
        if isinstance(answer, events.PackageAcked):
            return answer
        raise Expected(f"package {cid} to {to}: expected PACKAGE_SENT within {timeout_s} s, {_said(answer)}")

    def read(self, conversation: str, sequence: int, timeout_s: float = 10.0) -> events.ReadUpdated:
        """Mark a conversation as read up to a sequence; returns the server's answer."""
        seen = len(self.events)
        self.client.ask(AskRead(conversation, sequence), time.monotonic())
        self._pump.wake()
        return self.await_event(
            events.ReadUpdated,
            lambda event: event.conversation == conversation and event.sequence >= sequence,
            since=seen,
            timeout_s=timeout_s,
        )

    def unread(self, timeout_s: float = 10.0) -> events.UnreadChanged:
        """The server's counts, total and by conversation."""
        seen = len(self.events)
        self.client.ask(AskUnread(), time.monotonic())
        self._pump.wake()
        return self.await_event(events.UnreadChanged, since=seen, timeout_s=timeout_s)

    def contacts(self, after: int = 0, limit: int = 100, timeout_s: float = 10.0) -> events.ContactsListed:
        """A page of recent contacts, most recent first."""
        seen = len(self.events)
        self.client.ask(AskContacts(after, limit), time.monotonic())
        self._pump.wake()
        return self.await_event(events.ContactsListed, since=seen, timeout_s=timeout_s)

    def history(
        self, conversation: str, before: int = 0, limit: int = 100, timeout_s: float = 10.0
    ) -> events.HistoryListed:
        """A page of a conversation, newest first, sequences below `before` (0: from the newest)."""
        seen = len(self.events)
        self.client.ask(AskHistory(conversation, before, limit), time.monotonic())
        self._pump.wake()
        return self.await_event(events.HistoryListed, since=seen, timeout_s=timeout_s)

    # -- looking --

    @property
    def name(self) -> str:
        """User and device, for messages to people."""
        return f"{self.identity.user}/{self.identity.device}"

    def timeline(self, conversation: str | None = None) -> list[Entry]:
        """What the application shows: every message once, of one conversation sorted by sequence (ORD.3),
        of all in the order in which they were shown."""
        shown = [event.entry for event in self.events if isinstance(event, events.Delivered)]
        if conversation is None:
            return shown
        return sorted((e for e in shown if e.conversation == conversation), key=lambda entry: entry.sequence)

    def all_of(self, kind: type[E]) -> list[E]:
        """Every event of a kind so far, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    def await_event(
        self,
        kind: type[E],
        matching: Callable[[E], bool] | None = None,
        *,
        since: int = 0,
        timeout_s: float = 10.0,
    ) -> E:
        """The first event of a kind that matches, from position `since` of `events` on.

        Raises Expected with what came instead when `timeout_s` passes without it.
        """

        def look() -> E | None:
            for event in self.events[since:]:
                if isinstance(event, kind) and (matching is None or matching(event)):
                    return event
            return None

        found = self._await(look, timeout_s)
        if found is None:
            came = ", ".join(type(event).__name__ for event in self.events[since:]) or "nothing"
            raise Expected(f"{self.name}: expected {kind.__name__} within {timeout_s} s; came: {came}")
        return found

    def await_delivered(self, body: bytes, *, timeout_s: float = 10.0, since: int = 0) -> events.Delivered:
        """The delivery of the message with this body."""
        return self.await_event(
            events.Delivered, lambda event: event.entry.body == body, since=since, timeout_s=timeout_s
        )

    def await_version(self, version: int, timeout_s: float = 10.0) -> None:
        """Returns when everything up to `version` was shown. Raises Expected otherwise."""
        if self._await(lambda: self.client.version >= version or None, timeout_s) is None:
            raise Expected(
                f"{self.name}: expected version {version} within {timeout_s} s, is at {self.client.version}"
            )

    # -- waiting --

    def _await(self, look: Callable[[], T | None], timeout_s: float) -> T | None:
        until = time.monotonic() + timeout_s * self.patience
        while True:
            self._news.clear()
            found = look()
            left = until - time.monotonic()
            if found is not None or left <= 0:
                return found
            self._news.wait(left)

    def _await_answer(self, cid: str, since: int, timeout_s: float) -> Event | None:
        return self._await(
            lambda: next((event for event in self.events[since:] if _answers_send(event, cid)), None),
            timeout_s,
        )

    def _loses(self) -> Lose | None:
        return None if self._pump.lose is None else self._pump.loses

    def _observe(self, client: Client, event: Event, now: float) -> None:
        self.events.append(event)
        self.happened_at.append(now)
        self._news.set()


def _answers_send(event: Event, cid: str) -> bool:
    return isinstance(event, events.Acked | events.PackageAcked | events.Rejected) and event.cid == cid


def _said(answer: Event | None) -> str:
    if isinstance(answer, events.Rejected):
        return f"got ERROR {answer.code} {answer.text}"
    return "got no answer" if answer is None else f"got {type(answer).__name__}"
