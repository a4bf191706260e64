"""Stream management (XEP-0198): both sides count what they have handled, and a lost stream can go on.

A count tells how many, not which. Over TCP that is enough; where something on the path swallows whole
stanzas, an answer that falls short of what was sent before it was asked for means that nobody knows which one
is missing, and nothing is taken as acknowledged by it.
"""

from collections import deque

import msgspec

from protocol.errors import RemoteProtocolError

_TURN = 1 << 32
_MOST_SHORT_ANSWERS = 3


class Unacknowledged(msgspec.Struct, frozen=True, gc=False):
    """`position`: which of all stanzas of the stream it was."""

    position: int
    cid: str
    conversation: str


class Management:
    """The counts of one stream, and its sends without an answer. `is_on`: whether the server counts as well.

    `token` names it for who wants to resume it, "" if nobody can.
    """

    __slots__ = (
        "_asked_at", "_confirmed", "_handled_then", "_sent", "_short_answers", "_unacknowledged", "handled",
        "is_on", "token",
    )  # fmt: skip

    def __init__(self, *, is_on: bool) -> None:
        self.is_on = is_on
        self.token = ""
        self.handled = 0
        self._sent = 0
        self._confirmed = 0
        self._asked_at: int | None = None
        self._handled_then = 0
        self._short_answers = 0
        self._unacknowledged: deque[Unacknowledged] | None = None

    def heard(self) -> None:
        """A stanza came."""
        self.handled = (self.handled + 1) % _TURN

    def said(self, cid: str = "", conversation: str = "") -> None:
        """A stanza goes out; `cid`, if it is a send that is to be acknowledged."""
        self._sent += 1
        if cid:
            if self._unacknowledged is None:
                self._unacknowledged = deque()
            self._unacknowledged.append(Unacknowledged(self._sent, cid, conversation))

    @property
    def wants_answer(self) -> bool:
        """Whether to ask now what the peer has handled: one question at a time, so that it is known which one
        an answer belongs to."""
        return self._unacknowledged is not None and self._asked_at is None and self.is_on

    def asks(self) -> None:
        """The question goes out behind everything that was said."""
        self._asked_at, self._handled_then = self._sent, self.handled

    @property
    def is_doubtful(self) -> bool:
        """Whether something seems to have been swallowed on the way: an answer fell short, or other stanzas
        came where one was due. The count of such a stream proves nothing, so it is not to be resumed."""
        return self._short_answers > 0 or (self._asked_at is not None and self.handled != self._handled_then)

    def answered(self, handled: str | None) -> list[Unacknowledged]:
        """Which sends the peer has handled: those before the question, or all where nobody asked. Raises
        RemoteProtocolError for a count that cannot be."""
        total = self._total(handled)
        if self._asked_at is None:
            return self._settled(total, total) if total == self._sent else []
        if total < self._asked_at:
            self._short_answers += 1
            if self._short_answers <= _MOST_SHORT_ANSWERS:
                self._asked_at = None  # a server that is still at it will say more in a moment
            return []
        asked_at, self._asked_at, self._short_answers = self._asked_at, None, 0
        return self._settled(total, asked_at)

    def resumed(self, handled: str | None) -> list[Unacknowledged]:
        """The stream goes on: which sends the peer had handled. The others are sent anew by whoever holds
        them. Raises RemoteProtocolError.

        Fewer than were sent is how every stream ends whose last stanzas did not arrive, and looks the same
        where an earlier one was swallowed. Only a count of all is a proof; repeats are known by their ids.
        """
        total = self._total(handled)
        settled = self._settled(total, total) if total == self._sent else []
        self._sent = self._confirmed = total
        self._asked_at, self._unacknowledged = None, None
        return settled

    def take(self, cid: str) -> Unacknowledged | None:
        """The send named, which something else has answered for."""
        for each in self._unacknowledged or ():
            if each.cid == cid and self._unacknowledged is not None:
                self._unacknowledged.remove(each)
                if not self._unacknowledged:
                    self._unacknowledged = None
                return each
        return None

    def _total(self, handled: str | None) -> int:
        if handled is None or not handled.isascii() or not handled.isdigit() or int(handled) >= _TURN:
            raise RemoteProtocolError(f"stream management: h={handled!r} is no count")
        total = self._confirmed + (int(handled) - self._confirmed) % _TURN
        if total > self._sent:
            raise RemoteProtocolError(
                f"stream management: {int(handled)} stanzas handled, but {self._sent % _TURN} were sent"
            )
        return total

    def _settled(self, total: int, until: int) -> list[Unacknowledged]:
        """The sends up to that position, which a count of `total` proves."""
        self._confirmed = total
        waiting = self._unacknowledged
        settled: list[Unacknowledged] = []
        while waiting and waiting[0].position <= until:
            settled.append(waiting.popleft())
        if not waiting:
            self._unacknowledged = None
        return settled
