"""The pushes of one connection that wait for PUSHED (rules 3 and 8). No clock and no socket in here."""

from collections import deque

import msgspec

from protocol.limits import RETRANSMIT_ATTEMPTS, RETRANSMIT_START_S, SLOW_READER_BYTES, SLOW_READER_FRAMES
from protocol.messages import Entry, Push


class Unacknowledged(msgspec.Struct, gc=False, eq=False):
    entry: Entry
    size_bytes: int
    due: float
    attempt: int = 1


class Window:
    """In version order. Full at 1 MiB or 1,000 pushes: what does not fit is left to PULL."""

    __slots__ = ("_pushes", "size_bytes")

    def __init__(self) -> None:
        self._pushes: deque[Unacknowledged] = deque()
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._pushes)

    def has_room(self, size_bytes: int) -> bool:
        """False for what would go beyond the bound of rule 8."""
        return len(self._pushes) < SLOW_READER_FRAMES and self.size_bytes + size_bytes <= SLOW_READER_BYTES

    def add(self, entry: Entry, size_bytes: int, now: float) -> None:
        """`entry` was sent for the first time."""
        self._pushes.append(Unacknowledged(entry, size_bytes, now + RETRANSMIT_START_S))
        self.size_bytes += size_bytes

    def acknowledge(self, version: int) -> None:
        """Everything up to `version` is safe on the device. What was never pushed is nobody's claim to make:
        a version from the future acknowledges what there is now and nothing later."""
        pushes = self._pushes
        while pushes and pushes[0].entry.version <= version:
            self.size_bytes -= pushes.popleft().size_bytes

    def postpone(self, now: float) -> None:
        """The last copies have not even left this process: another one would only add to them."""
        for push in self._pushes:
            push.due = max(push.due, now + RETRANSMIT_START_S)

    def take_due(self, now: float) -> list[Push]:
        """What is to be sent again now, oldest first. After the last attempt a push is given up."""
        again: list[Push] = []
        kept: deque[Unacknowledged] = deque()
        for push in self._pushes:
            if push.due > now:
                kept.append(push)
            elif push.attempt >= RETRANSMIT_ATTEMPTS:
                self.size_bytes -= push.size_bytes
            else:
                push.attempt += 1
                push.due = now + RETRANSMIT_START_S * 2 ** (push.attempt - 1)
                kept.append(push)
                again.append(_repeat(push.entry, push.attempt))
        self._pushes = kept
        return again


def _repeat(entry: Entry, attempt: int) -> Push:
    return Push(
        version=entry.version,
        mid=entry.mid,
        conversation=entry.conversation,
        sequence=entry.sequence,
        sender=entry.sender,
        kind=entry.kind,
        body=entry.body,
        at_ms=entry.at_ms,
        attempt=attempt,
    )
