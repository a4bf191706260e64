"""How many messages a user may send: a token bucket a user, kept as the one time at which it is full again.

A bucket that is full again says no more than no bucket, so buckets are forgotten by age: two dicts, and the
older one goes when everything in it must be full. No timer, and no more memory than recent senders need.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from protocol.errors import ErrorCode
from protocol.limits import MAX_PACKAGE_ITEMS
from protocol.messages import Error

DEFAULT_BURST = 10
_ROUNDING_MS = 1e-6
"""Whoever waited as long as they were told is not to be told to wait again."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """`per_second` messages of each user for ever, `burst` of them at once. A package counts item by item.

    Raises ValueError for a rate that is not above 0 or a burst that is below 1.
    """

    per_second: float
    burst: int = DEFAULT_BURST

    def __post_init__(self) -> None:
        if not 0 < self.per_second < math.inf:
            raise ValueError(f"a rate limit of {self.per_second:g} messages a second: it has to be above 0")
        if self.burst < 1:
            raise ValueError(f"a burst of {self.burst} messages: at least 1 is needed")


class Buckets:
    """`refusal` is asked before a message is stored, and takes from the bucket what it lets through.

    Whoever has a message left may send a package, and owes the rest: so a burst smaller than a package only
    spaces packages out. `clock` gives monotonic seconds.
    """

    __slots__ = ("_burst_s", "_clock", "_forget_at", "_keep_s", "_message_s", "_old", "_young")

    def __init__(self, limit: RateLimit, clock: Callable[[], float] = time.monotonic) -> None:
        self._message_s = 1 / limit.per_second
        self._burst_s = (limit.burst - 1) * self._message_s
        # The longest that a bucket takes to be full again, after a whole package on its last message.
        self._keep_s = self._burst_s + MAX_PACKAGE_ITEMS * self._message_s
        self._clock = clock
        self._young: dict[str, float] = {}
        self._old: dict[str, float] = {}
        self._forget_at = clock() + self._keep_s

    def refusal(self, user: str, messages: int, cid: str) -> Error | None:
        """None, and `messages` are taken from the bucket of `user`; or error 429, and nothing is.

        Its text is `retry_after_ms=N`: after N milliseconds one message is let through.
        """
        now = self._clock()
        if now >= self._forget_at:
            self._old, self._young = self._young, {}
            if now >= self._forget_at + self._keep_s:
                self._old = {}
            self._forget_at = now + self._keep_s
        full_at = self._young.get(user) or self._old.get(user) or now
        wait_ms = math.ceil((full_at - now - self._burst_s) * 1000 - _ROUNDING_MS)
        if wait_ms > 0:
            return Error(ErrorCode.TOO_MANY_REQUESTS, f"retry_after_ms={wait_ms}", cid)
        self._young[user] = max(full_at, now) + messages * self._message_s
        return None

    def __len__(self) -> int:
        """Users remembered."""
        return len(self._young.keys() | self._old.keys())
