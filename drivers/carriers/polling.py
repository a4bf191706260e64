"""The frames of the chat protocol over HTTP requests: what `longpoll` and `shortpoll` have in common.

A session over them is one like any other: its frames end here and become HTTP calls, and what those are
answered with becomes frames again. Short requests know no session: LOGIN is a first look at the inbox, PING
another, and what a poll has brought is taken, without PUSHED.
"""

from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl

from drivers.carriers import http_calls
from drivers.carriers.http_line import Answer, BrokenAnswer, Call, Line
from drivers.contract import Carrier, Dialect
from drivers.ladder.origin import host_and_port
from protocol import frames, messages
from protocol.errors import ErrorCode, LocalProtocolError, RemoteProtocolError
from protocol.limits import DEFAULT_HEARTBEAT_S
from protocol.messages import Entry, Error, Login, Message, PackageSent, Send, SendPackage, Sent

NEVER = float("inf")
BAD_GATEWAY = 502
"""The code of an ERROR that is not the server's: the way to it is broken."""
_PAGE = 1000
_NOBODY = "-"
"""LOGGED_IN names the user, whom no answer over HTTP names."""
_NOTHING_NEW_S = 0.1
"""The least time between two polls that bring nothing, whatever the server thinks of waiting."""
_POLL = object()
_PROXY_PORT = 8080


@dataclass(frozen=True, slots=True)
class PollingCarrier:
    """`chat+NAME://HOST:PORT`, with `option` as query: so many seconds from `least` to `most`; and with
    `proxy=HOST:PORT`, for a proxy that takes requests for anywhere."""

    name: str
    option: str
    default_s: float
    least_s: float
    most_s: float

    def at(self, url: SplitResult, dialect: Dialect) -> Carrier:
        """The carrier of one target. Raises ValueError for a query that it does not understand."""
        seconds = self.default_s
        proxy = None
        for name, value in parse_qsl(url.query, keep_blank_values=True):
            if name == "proxy":
                proxy = host_and_port(value, "proxy", _PROXY_PORT)
                continue
            try:
                seconds = float(value)
            except ValueError:
                seconds = -1.0
            if name != self.option or not self.least_s <= seconds <= self.most_s:
                raise ValueError(
                    f"{name}={value}: write {self.option}=SECONDS, {self.least_s:g} to {self.most_s:g}"
                )
        # Without user and password, which are for nobody to see in a log.
        authority = url.netloc.rpartition("@")[2]
        times = {"wait_s": 0.0, "every_s": 0.0, self.option: seconds}
        prefix = "" if proxy is None else f"http://{authority}"
        return Carrier(
            self.name,
            new_tunnel=lambda: PollingTunnel(authority, prefix=prefix, **times),
            dialect="chat",
            proxy=proxy,
        )


class PollingTunnel:
    """From the client's first frame until `is_over`. `deadline`: when `tick` has to be called at the latest.

    `wait_s` above 0 is a long poll, on a line of its own; with 0 the inbox is looked at each `every_s`.
    While `is_clogged`, which is for the owner to say, nothing is polled. `prefix`: see `http_line.Line`.
    """

    def __init__(self, authority: str, *, wait_s: float, every_s: float, prefix: str = "") -> None:
        self.is_over = False
        self.is_clogged = False
        self._authority = authority
        self._wait_s = wait_s
        self._every_s = every_s
        self._requests = Line(self._headers(), prefix)
        self._polls = Line(self._headers(), prefix) if wait_s else self._requests
        self.lines: tuple[Line, ...] = (self._requests, self._polls) if wait_s else (self._requests,)
        self._buffer = frames.FrameBuffer()
        self._down: list[bytes] = []
        self._has_login = False
        self._heartbeat_s = DEFAULT_HEARTBEAT_S
        self._cursor = 0
        self._polled_at = 0.0
        self._next_poll = NEVER
        self._unanswered: dict[str, Send | SendPackage] = {}
        self._own: set[int] = set()
        self._kept_back: list[Entry] = []

    # -- what the owner tells --

    @property
    def deadline(self) -> float:
        due = min(line.due for line in self.lines)
        return due if self.is_clogged else min(due, self._next_poll)

    def up(self, data: bytes) -> None:
        """Bytes of the client."""
        self._buffer.feed(data)
        try:
            while not self.is_over and (message := self._buffer.next_message()) is not None:
                self._ask(message)
        except RemoteProtocolError as error:
            self._end(Error(error.code, str(error), None, True))

    def take_down(self) -> bytes:
        """Bytes for the client, handed over once."""
        down, self._down = self._down, []
        return b"".join(down)

    def heard(self, line: Line, data: bytes, now: float) -> None:
        """Bytes of the server on a line."""
        try:
            answered = line.receive(data)
            if answered is not None:
                self._answered(*answered, now)
        except (BrokenAnswer, RemoteProtocolError) as error:
            self._broken(str(error))

    def line_ended(self, line: Line, why: str) -> None:
        """The connection of a line is gone, or could not be made."""
        if not line.ended():
            self._broken(why)

    def tick(self, now: float) -> None:
        """Do what is due."""
        for line in self.lines:
            if now >= line.due and line.under_way is not None:
                call = line.under_way
                self._broken(f"no answer to {call.method} {call.target} within {call.patience_s:g} s")
        if now >= self._next_poll and not self.is_clogged and not self.is_over:
            self._next_poll = NEVER
            self._polled_at = now
            self._polls.put(http_calls.inbox(self._cursor, _PAGE, _POLL, self._wait_s))

    # -- from the client --

    def _ask(self, message: Message) -> None:
        if isinstance(message, Login):
            self._log_in(message)
        elif isinstance(message, messages.Ping):
            self._heartbeat_s = message.heartbeat_s or self._heartbeat_s
            self._requests.put(http_calls.inbox(self._cursor, _PAGE, message))
        elif isinstance(message, messages.Bye):
            self.is_over = True
        elif http_calls.has_call(message):
            if isinstance(message, Send | SendPackage):
                self._unanswered[message.cid] = message
            self._requests.put(http_calls.call_for(message))
        elif not isinstance(message, messages.Pushed):
            self._end(Error(ErrorCode.MALFORMED, f"a client sends no {type(message).__name__}", None, True))

    def _log_in(self, login: Login) -> None:
        if self._has_login:
            self._end(Error(ErrorCode.MALFORMED, "this connection has had its login", None, True))
            return
        self._has_login = True
        self._heartbeat_s = login.heartbeat_s or self._heartbeat_s
        for line in self.lines:
            line.headers = self._headers(login)
        self._requests.put(http_calls.inbox(login.version, 1, login))

    def _headers(self, login: Login | None = None) -> bytes:
        known = [f"Host: {self._authority}", "User-Agent: chatproof"]
        if login is not None:
            known += [f"Authorization: Bearer {login.token}", f"X-Device: {login.device}"]
        # A line end in a name would be a header of its own.
        if any(sign in line for line in known for sign in "\r\n"):
            raise RemoteProtocolError("a token or device with a line end in it")
        return "".join(f"{line}\r\n" for line in known).encode()

    # -- from the server --

    def _answered(self, call: Call, answer: Answer, now: float) -> None:
        purpose = call.purpose
        if isinstance(purpose, Message) and http_calls.has_call(purpose):
            self._reply(purpose, http_calls.answer_to(purpose, answer))
            return
        if answer.status != 200:
            # Whoever may not look at the inbox has no session.
            error = http_calls.problem(answer, None)
            self._end(Error(error.code, error.text, None, True))
            return
        page = http_calls.page_of(answer)
        if isinstance(purpose, Login):
            self._cursor = page.newest
            self._next_poll = now
            self._say(messages.LoggedIn(_NOBODY, 0, page.newest, self._heartbeat_s, [], 0, ""))
            return
        is_new = self._arrive(page.entries)
        if isinstance(purpose, messages.Ping):
            self._say(messages.Pong(page.newest, self._heartbeat_s))
        elif is_new and (self._wait_s or page.more):
            self._next_poll = now
        else:
            self._next_poll = max(now, self._polled_at + (_NOTHING_NEW_S if self._wait_s else self._every_s))

    def _reply(self, request: Message, reply: Message) -> None:
        if isinstance(reply, Error) and reply.fatal:
            self._end(reply)
            return
        if isinstance(request, Send | SendPackage):
            self._unanswered.pop(request.cid, None)
        if isinstance(reply, Sent):
            self._own.add(reply.version)
        elif isinstance(reply, PackageSent):
            self._own.update(range(reply.version - len(reply.placed) + 1, reply.version + 1))
        self._say(reply)
        self._let_go()

    def _arrive(self, entries: list[Entry]) -> bool:
        """Whether there was something new. What may be this connection's own send waits for its SENT: a
        connection gets no echo of what it has sent."""
        before = self._cursor
        for entry in entries:
            if entry.version > self._cursor:
                self._cursor = entry.version
                self._kept_back.append(entry)
        self._let_go()
        return self._cursor > before

    def _let_go(self) -> None:
        waiting, self._kept_back = self._kept_back, []
        for place, entry in enumerate(waiting):
            if entry.version in self._own:
                continue
            if self._may_be_own(entry):
                self._kept_back = waiting[place:]
                break
            self._say(entry)
        passed = self._kept_back[0].version - 1 if self._kept_back else self._cursor
        self._own = {version for version in self._own if version > passed}

    def _may_be_own(self, entry: Entry) -> bool:
        return any(_looks_like(entry, sending) for sending in self._unanswered.values())

    # -- to the client --

    def _say(self, message: Message) -> None:
        try:
            self._down.append(frames.encode(message))
        except LocalProtocolError:
            # A page over HTTP may be larger than a frame; what is left out is asked for again.
            if not isinstance(message, messages.Pulled) or len(message.entries) < 2:
                raise
            half = message.entries[: len(message.entries) // 2]
            self._say(messages.Pulled(half, message.newest, True))

    def _broken(self, why: str) -> None:
        self._end(Error(BAD_GATEWAY, why, None, True))

    def _end(self, error: Error) -> None:
        if not self.is_over:
            self.is_over = True
            self._say(error)


def _looks_like(entry: Entry, sending: Send | SendPackage) -> bool:
    if sending.to != entry.conversation and sending.to not in entry.conversation.split(":"):
        return False
    items = sending.items if isinstance(sending, SendPackage) else (sending,)
    return any(item.kind == entry.kind and item.body == entry.body for item in items)
