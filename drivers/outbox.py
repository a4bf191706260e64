"""What a client still owes its user: sends that are not acknowledged yet, questions without an answer.

One send a conversation is under way at a time; the next goes out when the server has answered for it. That is
what keeps a sender's own order when frames are lost and repeated (ORD.2): a later message can never overtake.
"""

from collections import deque

from drivers.contract import Outgoing, OutgoingPackage, Question
from protocol.errors import LocalProtocolError


class Asked:
    """A question without an answer yet; repeated like a send, because asking twice does no harm."""

    __slots__ = ("attempts", "due", "question")

    def __init__(self, question: Question) -> None:
        self.question = question
        self.attempts = 0
        self.due = 0.0


class Pending:
    """One send from the application's call to its acknowledgement; `due`: when it goes out again."""

    __slots__ = ("attempts", "due", "outgoing")

    def __init__(self, outgoing: Outgoing | OutgoingPackage) -> None:
        self.outgoing = outgoing
        self.attempts = 0
        self.due = 0.0


class Outbox:
    """Sends by recipient, in order, the first of each queue being the one under way; `asked`: questions, the
    oldest first; `quiet_until`: before that the server wants no send."""

    __slots__ = ("_flying", "_queues", "asked", "quiet_until")

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.quiet_until = 0.0
        self._queues: dict[str, deque[Pending]] = {}
        self._flying: dict[str, Pending] = {}

    def submit(self, outgoing: Outgoing | OutgoingPackage) -> Pending | None:
        """Queue a send; it is returned when nothing else to the same recipient is under way.

        Raises LocalProtocolError when the same cid is under way to somebody else: the answer to the one
        could not be told from the answer to the other.
        """
        other = self._flying.get(outgoing.cid)
        if other is not None and other.outgoing.to != outgoing.to:
            raise LocalProtocolError(
                f"cid {outgoing.cid} is under way to {other.outgoing.to}; choose another for {outgoing.to}"
            )
        pending = Pending(outgoing)
        queue = self._queues.get(outgoing.to)
        if queue is not None:
            queue.append(pending)
            return None
        self._queues[outgoing.to] = deque((pending,))
        self._flying[outgoing.cid] = pending
        return pending

    def settle(self, cid: str) -> tuple[Pending | None, Pending | None]:
        """The send that `cid` answers (None if it was answered before), and the one that may go out now."""
        pending = self._flying.pop(cid, None)
        if pending is None:
            return None, None
        to = pending.outgoing.to
        queue = self._queues[to]
        queue.popleft()
        if not queue:
            del self._queues[to]
            return pending, None
        following = queue[0]
        self._flying[following.outgoing.cid] = following
        return pending, following

    def attempts(self, cid: str) -> int:
        """How often a send that waits for an answer went out; 0 for one that does not."""
        pending = self._flying.get(cid)
        return 0 if pending is None else pending.attempts

    def flying(self) -> list[Pending]:
        """All sends that wait for an answer, oldest first."""
        return list(self._flying.values())

    def next_due(self) -> float:
        """When the earliest repeat of a send is due; infinity when none is under way."""
        return min((pending.due for pending in self._flying.values()), default=float("inf"))

    def is_done(self, now: float) -> bool:
        """Nothing is owed, and nothing has to be remembered."""
        return not self._queues and not self.asked and now >= self.quiet_until

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._queues.values())
