import time
from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.messages import Unread
from refserver.access.http.call import Call

_KEPT_S = 3.0


def patch() -> None:
    kept: dict[str, tuple[float, Any]] = {}

    def ask(ask: Any, self: Any, message: Any, then: Any) -> None:
        def keep(reply: Any) -> None:
            kept[self.user] = (time.monotonic() + _KEPT_S, reply)
            then(reply)

        until, reply = kept.get(self.user, (0.0, None))
        if isinstance(message, Unread) and until > time.monotonic():
            then(reply)
        else:
            ask(self, message, keep if isinstance(message, Unread) else then)

    around(Call, "ask", ask)


MUTANT = Mutant(
    "polled_counts_from_a_cache",
    breaks=("UNR.1",),
    story="counts over HTTP are kept for some seconds, to spare the store",
    patch=patch,
    carriers=("shortpoll",),
)
