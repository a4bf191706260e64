"""A logged-in connection that does only what a case tells it: no retransmission, no heartbeat, no PUSHED.

What the server says by itself is kept, so that a case can ask for an answer first and look at pushes later.
"""

import time
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from conformance.accounts import User
from drivers.pumps.wire import Expected, Wire
from protocol import messages
from protocol.messages import Entry, Error, LoggedIn, Login, Message, Push, Send, Sent

M = TypeVar("M", bound=Message)


def fresh_cid() -> str:
    """A client message id that no run has used before: a target remembers ids for ever."""
    return uuid.uuid4().hex


def log_in(
    wire: Wire, user: User, device: str = "phone", *, heartbeat_s: int = 60, version: int = 0
) -> LoggedIn:
    """LOGIN as `user`; the answer. Raises Expected when the server does not let the device in."""
    wire.send(Login(user.token, device, "conformance", version, heartbeat_s))
    answer = wire.next()
    if not isinstance(answer, LoggedIn):
        raise Expected(f"LOGIN of {user.user}/{device}: expected LOGGED_IN, got {answer!r}")
    return answer


class Phone:
    """One device of one user on a `Wire`. `pushes`, `pushed_at` (monotonic s), `told`: all that came.

    `late_s`: by so much later than it happens the end of the connection may be heard of, where the network is
    broken on purpose.
    """

    def __init__(self, wire: Wire, user: User, device: str, heartbeat_s: int = 60, version: int = 0) -> None:
        self.wire = wire
        self.user = user.user
        self.name = f"{user.user}/{device}"
        self.pushes: list[Push] = []
        self.pushed_at: list[float] = []
        self.told: list[Message] = []
        self.late_s = 0.0
        self.logged_in = log_in(wire, user, device, heartbeat_s=heartbeat_s, version=version)

    # -- sending

    def try_to_say(self, to: str, body: bytes, *, kind: str = "text", cid: str | None = None) -> Sent | Error:
        """SEND once; SENT or the ERROR that names this send."""
        cid = cid or fresh_cid()
        self.wire.send(Send(cid, to, kind, body, _now_ms()))
        return self.answer_to(cid)

    def say(self, to: str, body: bytes, *, kind: str = "text", cid: str | None = None) -> Sent:
        """SEND once; its SENT. Raises Expected when it is refused."""
        answer = self.try_to_say(to, body, kind=kind, cid=cid)
        if isinstance(answer, Sent):
            return answer
        raise Expected(f"{self.name}: SEND to {to}: expected SENT, got ERROR {answer.code} {answer.text}")

    def say_all(self, to: str, bodies: list[bytes]) -> list[Sent]:
        """SEND several in one piece, without waiting in between; their SENTs in the order of the sends."""
        sends = [Send(fresh_cid(), to, "text", body, _now_ms()) for body in bodies]
        self.wire.send(*sends)
        answers = self.answers_to([send.cid for send in sends])
        sent = [answer for answer in answers if isinstance(answer, Sent)]
        if len(sent) < len(sends):
            refused = next(answer for answer in answers if isinstance(answer, Error))
            raise Expected(f"{self.name}: SEND to {to}: expected SENT, got {refused!r}")
        return sent

    def answer_to(self, cid: str) -> Sent | Error:
        """The SENT or ERROR for a send."""
        answer = self.expect_one_of((Sent, Error), lambda message: message.cid == cid)
        assert isinstance(answer, Sent | Error)
        return answer

    def answers_to(self, cids: list[str]) -> list[Sent | Error]:
        """The SENT or ERROR for each of several sends, whatever the order in which they come."""
        answers: dict[str, Sent | Error] = {}
        while len(answers) < len(cids):
            answer = self.expect_one_of((Sent, Error), lambda message: message.cid in cids)
            assert isinstance(answer, Sent | Error)
            assert answer.cid is not None
            answers[answer.cid] = answer
        return [answers[cid] for cid in cids]

    def acknowledge(self, version: int) -> None:
        """PUSHED: all up to `version` are safe on this device."""
        self.wire.send(messages.Pushed(version))

    # -- asking

    def beat(self) -> messages.Pong:
        """PING; its PONG. What the server had sent before it is in `pushes` afterwards."""
        self.wire.send(messages.Ping())
        return self.expect(messages.Pong)

    def pull(self, after: int, limit: int = 1000) -> messages.Pulled:
        """One page of the inbox."""
        self.wire.send(messages.Pull(after, limit))
        return self.expect(messages.Pulled)

    def inbox(self, after: int = 0, limit: int = 1000) -> list[Entry]:
        """All of the inbox after a version, page by page as the entries' own versions say."""
        entries: list[Entry] = []
        while True:
            page = self.pull(after, limit)
            entries += page.entries
            if not page.more or not page.entries:
                return entries
            if page.entries[-1].version <= after:
                raise Expected(f"{self.name}: PULL after {after}: expected newer entries, got only older")
            after = page.entries[-1].version

    def history(self, conversation: str, before: int = 0, limit: int = 1000) -> messages.HistoryPage:
        """One page of a conversation, newest first."""
        self.wire.send(messages.History(conversation, before, limit))
        return self.expect(messages.HistoryPage)

    def contacts(self, after: int = 0, limit: int = 1000) -> list[messages.Contact]:
        """One page of recent contacts."""
        self.wire.send(messages.Contacts(after, limit))
        return self.expect(messages.ContactList).contacts

    def read(self, conversation: str, sequence: int, *, reached: int | None = None) -> messages.ReadUpdate:
        """READ up to a sequence; the answer. `reached`: what it must say at least, if not that sequence.

        What tells of another device's read looks like an answer; one that says less is not taken for it.
        """
        self.wire.send(messages.Read(conversation, sequence))
        least = sequence if reached is None else reached
        return self.expect(
            messages.ReadUpdate,
            lambda update: update.conversation == conversation and update.sequence >= least,
        )

    def unread(self) -> tuple[int, dict[str, int]]:
        """Total, and the counts above zero by conversation."""
        self.wire.send(messages.Unread())
        answer = self.expect(messages.UnreadCounts)
        return answer.total, {count.conversation: count.unread for count in answer.counts if count.unread}

    # -- listening

    def expect(
        self, kind: type[M], matching: Callable[[M], bool] | None = None, timeout_s: float = 10.0
    ) -> M:
        """The next message of a kind that matches. Raises Expected when it does not come."""
        message = self.expect_one_of((kind,), matching, timeout_s)
        assert isinstance(message, kind)
        return message

    def await_push(self, body: bytes, timeout_s: float = 10.0) -> Push:
        """The first PUSH of the message with this body, whether it has come already or not."""
        for push in self.pushes:
            if push.body == body:
                return push
        return self.expect(Push, lambda push: push.body == body, timeout_s)

    def listen(self, seconds: float) -> None:
        """Take in whatever comes meanwhile."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                message = self.wire.next(left)
            except Expected:
                return
            if message is None:
                return
            self._keep(message)

    def times_of(self, body: bytes) -> list[float]:
        """When each PUSH of the message with this body came."""
        return [at for push, at in zip(self.pushes, self.pushed_at, strict=True) if push.body == body]

    def hang_up(self) -> None:
        """Close the connection without a farewell."""
        self.wire.close()

    def expect_one_of(
        self,
        kinds: tuple[type[Message], ...],
        matching: Callable[[Any], bool] | None = None,
        timeout_s: float = 10.0,
    ) -> Message:
        """The next message of one of several kinds that matches. Raises Expected when it does not come."""
        timeout_s *= self.wire.patience
        until = time.monotonic() + timeout_s
        wanted = " or ".join(kind.__name__ for kind in kinds)
        came: list[str] = []
        while True:
            try:
                message = self.wire.next(max(0.001, until - time.monotonic()))
            except Expected as error:
                seen = ", ".join(came) or "nothing"
                raise Expected(
                    f"{self.name}: expected {wanted} within {timeout_s} s; came: {seen}"
                ) from error
            if message is None:
                seen = ", ".join(came) or "nothing"
                raise Expected(f"{self.name}: expected {wanted}; came: {seen}, then the connection closed")
            self._keep(message)
            if isinstance(message, kinds) and (matching is None or matching(message)):
                return message
            if isinstance(message, Error) and message.cid is None:
                raise Expected(f"{self.name}: expected {wanted}, got ERROR {message.code} {message.text}")
            came.append(_short(message))

    def _keep(self, message: Message) -> None:
        if isinstance(message, Push):
            self.pushes.append(message)
            self.pushed_at.append(time.monotonic())
        else:
            self.told.append(message)


def _short(message: Message) -> str:
    if isinstance(message, Push):
        return f"PUSH {message.version}"
    return type(message).__name__


def _now_ms() -> int:
    return int(time.time() * 1000)
