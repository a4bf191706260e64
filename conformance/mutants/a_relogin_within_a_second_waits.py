import time
from typing import Any

import gevent

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business.business import Business

_LATER_S = 8.0


def patch() -> None:
    came: dict[tuple[str, str], float] = {}

    def attach(attach: Any, self: Any, node: Any, connection: int, user: str, device: str) -> None:
        now, key = time.monotonic(), (user, device)
        quick = now - came.get(key, -100.0) < 10.0
        came[key] = now
        if quick:
            gevent.spawn_later(_LATER_S, attach, self, node, connection, user, device)
        else:
            attach(self, node, connection, user, device)

    around(Business, "attach", attach)


MUTANT = Mutant(
    "a_relogin_within_a_second_waits",
    breaks=("HBT.2",),
    story="whoever comes back at once is taken for a loop, and is let in later",
    patch=patch,
)
