"""One greenlet a client, so that a conformance case reads like a script.

`Device` is a client with its pump: a case does something and awaits the event that must follow.
"""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

import gevent
import gevent.event
import gevent.socket
from gevent.hub import Hub

from drivers import events
from drivers.client import Client, State, Surroundings
from drivers.contract import AskContacts, AskHistory, AskRead, AskUnread, Identity, Outgoing
from drivers.endpoints import Endpoint
from drivers.events import CloseReason, Event
from drivers.policy import Policy
from drivers.pumps.wire import Expected
from protocol import frames
from protocol.messages import Entry, Message, decode_body
from reactor import sockets

E = TypeVar("E", bound=Event)
T = TypeVar("T")


class _OneIdentity:
    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    def identity(self, index: int) -> Identity:
        return self._identity


class Device:
    """A running client. Use it as a context manager: at the end the connection is closed.

    `lose(direction, message)` may be set to drop whole frames between client and server, as a lossy path
    would: it is asked for each frame with "up" or "down" and says True to lose it.
    """

    def __init__(
        self,
        endpoints: tuple[Endpoint, ...],
        identity: Identity,
        *,
        policy: Policy | None = None,
        version: int = 0,
    ) -> None:
        self.identity = identity
        self.events: list[Event] = []
        self.happened_at: list[float] = []
        self.lose: Callable[[str, Message], bool] | None = None
        shared = Surroundings(endpoints, _OneIdentity(identity), policy or Policy(), self._observe)
        self.client = Client(shared, 0, version=version)
        self._hub: Hub = gevent.get_hub()
        self._wake = gevent.event.Event()
        self._news = gevent.event.Event()
        self._watcher: object | None = None
        self._down = frames.FrameBuffer(compression=True)
        self._unsent = b""
        self._cids = 0
        self._running = True
        self._greenlet = gevent.spawn(self._run)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- doing --

    def start(self) -> Self:
        """Connect and log in; returns at once."""
        self.client.start(time.monotonic())
        self._wake.set()
        return self

    def log_in(self, timeout_s: float = 10.0) -> events.LoggedIn:
        """Connect and log in; returns when the server has let the device in."""
        seen = len(self.events)
        self.start()
        return self.await_event(events.LoggedIn, since=seen, timeout_s=timeout_s)

    def leave(self) -> None:
        """Say goodbye and stay away until `start`."""
        self.client.leave(time.monotonic())
        self._wake.set()

    def cut(self) -> None:
        """Reset the connection without a word; the client comes back as its policy says."""
        if self.client.link >= 0:
            sockets.reset(self._release())
            self.client.lost(CloseReason.RESET, "cut", time.monotonic())
            self._wake.set()

    def close(self) -> None:
        """End everything; the connection is closed without a farewell."""
        self._running = False
        self._wake.set()
        self._greenlet.join()
        if self.client.link >= 0:
            sockets.close(self._release())

    def send(self, to: str, body: bytes, *, kind: str = "text", cid: str | None = None) -> str:
        """Send until answered; returns the client message id at once."""
        if cid is None:
            self._cids += 1
            cid = f"{self.identity.device}-{self._cids}"
        self.client.send(Outgoing(cid, to, kind, body, int(time.time() * 1000)), time.monotonic())
        self._wake.set()
        return cid

    def send_and_await(
        self, to: str, body: bytes, *, kind: str = "text", cid: str | None = None, timeout_s: float = 10.0
    ) -> events.Acked:
        """Send and return the acknowledgement. Raises Expected when it is rejected or none comes."""
        seen = len(self.events)
        cid = self.send(to, body, kind=kind, cid=cid)
        answer = self._await(
            lambda: next((event for event in self.events[seen:] if _answers_send(event, cid)), None),
            timeout_s,
        )
        if isinstance(answer, events.Acked):
            return answer
        got = f"ERROR {answer.code} {answer.text}" if isinstance(answer, events.Rejected) else "no answer"
        raise Expected(f"send {cid} to {to}: expected SENT within {timeout_s} s, got {got}")

    def read(self, conversation: str, sequence: int, timeout_s: float = 10.0) -> events.ReadUpdated:
        """Mark a conversation as read up to a sequence; returns the server's answer."""
        seen = len(self.events)
        self.client.ask(AskRead(conversation, sequence), time.monotonic())
        self._wake.set()
        return self.await_event(
            events.ReadUpdated,
            lambda event: event.conversation == conversation,
            since=seen,
            timeout_s=timeout_s,
        )

    def unread(self, timeout_s: float = 10.0) -> events.UnreadChanged:
        """The server's counts, total and by conversation."""
        seen = len(self.events)
        self.client.ask(AskUnread(), time.monotonic())
        self._wake.set()
        return self.await_event(events.UnreadChanged, since=seen, timeout_s=timeout_s)

    def contacts(self, after: int = 0, limit: int = 100, timeout_s: float = 10.0) -> events.ContactsListed:
        """A page of recent contacts, most recent first."""
        seen = len(self.events)
        self.client.ask(AskContacts(after, limit), time.monotonic())
        self._wake.set()
        return self.await_event(events.ContactsListed, since=seen, timeout_s=timeout_s)

    def history(
        self, conversation: str, before: int = 0, limit: int = 100, timeout_s: float = 10.0
    ) -> events.HistoryListed:
        """A page of a conversation, newest first, sequences below `before` (0: from the newest)."""
        seen = len(self.events)
        self.client.ask(AskHistory(conversation, before, limit), time.monotonic())
        self._wake.set()
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

    # -- pumping --

    def _await(self, look: Callable[[], T | None], timeout_s: float) -> T | None:
        until = time.monotonic() + timeout_s
        while True:
            self._news.clear()
            found = look()
            left = until - time.monotonic()
            if found is not None or left <= 0:
                return found
            self._news.wait(left)

    def _observe(self, client: Client, event: Event, now: float) -> None:
        self.events.append(event)
        self.happened_at.append(now)
        self._news.set()

    def _run(self) -> None:
        while self._running:
            client = self.client
            now = time.monotonic()
            if now >= client.deadline:
                client.tick(now)
            self._flush(now)
            if client.state in (State.STOPPED, State.WAITING):
                if client.link >= 0:
                    sockets.close(self._release())
            elif client.link < 0 and client.state is State.CONNECTING:
                self._dial(now)
                continue
            self._wake.wait(max(0.0, min(client.deadline - time.monotonic(), 3600.0)))
            self._wake.clear()
            if client.link >= 0:
                self._read(time.monotonic())

    def _dial(self, now: float) -> None:
        client = self.client
        try:
            client.link = sockets.start_connect(client.endpoint.address)
            gevent.socket.wait_write(client.link, timeout=client.deadline - now, timeout_exc=TimeoutError())
            code = sockets.connect_error(client.link)
        except TimeoutError:
            code = _ETIMEDOUT
        except OSError as error:
            code = error.errno or _ETIMEDOUT
        now = time.monotonic()
        if code:
            if client.link >= 0:
                fd, client.link = client.link, -1
                sockets.close(fd)
            client.connect_failed(sockets.reason(code), now)
            return
        self._down = frames.FrameBuffer(compression=True)
        self._unsent = b""
        watcher = self._hub.loop.io(client.link, 1)
        watcher.start(self._wake.set)
        self._watcher = watcher
        client.connected(now)

    def _read(self, now: float) -> None:
        client = self.client
        try:
            while client.link >= 0 and (data := sockets.read(client.link)) is not None:
                if not data:
                    client.lost(CloseReason.EOF, "", now)
                    return
                client.receive(self._filtered(data), now)
        except OSError as error:
            client.lost(CloseReason.RESET, error.strerror or "", now)

    def _flush(self, now: float) -> None:
        client = self.client
        if client.link < 0:
            return
        out = client.take()
        if out and self.lose is not None:
            out = b"".join(frame for frame, message in _cut(out) if not self.lose("up", message))
        self._unsent += out
        try:
            while self._unsent:
                sent = sockets.write(client.link, self._unsent)
                self._unsent = self._unsent[sent:]
                if self._unsent:
                    gevent.socket.wait_write(client.link)
        except OSError as error:
            client.lost(CloseReason.RESET, error.strerror or "", now)

    def _filtered(self, data: bytes) -> bytes:
        """Frames that the path loses on their way down never reach the client."""
        if self.lose is None and self._down.is_empty:
            return data
        self._down.feed(data)
        kept = b""
        while (message := self._down.next_message()) is not None:
            if self.lose is None or not self.lose("down", message):
                kept += frames.encode(message)
        return kept

    def _release(self) -> int:
        if self._watcher is not None:
            self._watcher.stop()  # type: ignore[attr-defined]
            self._watcher.close()  # type: ignore[attr-defined]
            self._watcher = None
        fd, self.client.link = self.client.link, -1
        return fd


_ETIMEDOUT = 110


def _answers_send(event: Event, cid: str) -> bool:
    return isinstance(event, events.Acked | events.Rejected) and event.cid == cid


def _cut(data: bytes) -> list[tuple[bytes, Message]]:
    cut = []
    at = 0
    while at < len(data):
        size = frames.whole_frame_bytes(data, at)
        if size is None:
            raise ValueError("a client writes whole frames only")
        frame = data[at : at + size]
        cut.append((frame, decode_body(frame[1], frame[8:])))
        at += size
    return cut
