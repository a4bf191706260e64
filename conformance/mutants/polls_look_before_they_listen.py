from typing import Any

import gevent

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.http.inbox import MAX_WAIT_S, LongPoll

_LATER_S = 0.01


def start(start: Any, self: Any) -> None:
    watch = self._call.watch
    seconds = min(self._query.wait_s, MAX_WAIT_S)
    self._call.wake_after(seconds, self._time_is_over)
    self._pull()
    gevent.spawn_later(_LATER_S, lambda: None if self._call.finished else watch(self._pushed))


def patch() -> None:
    around(LongPoll, "start", start)


MUTANT = Mutant(
    "polls_look_before_they_listen",
    breaks=("WAY.2",),
    story="a poll reads first and is registered for news then",
    patch=patch,
)
