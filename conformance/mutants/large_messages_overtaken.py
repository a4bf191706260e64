from typing import Any

import gevent

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.messages import Send
from refserver.business.committing import Committer

_LARGE_BYTES = 4096
_SLOWER_S = 0.05


def take(put: Any, self: Any, request: Any) -> None:
    if isinstance(request.message, Send) and len(request.message.body) >= _LARGE_BYTES:
        gevent.spawn_later(_SLOWER_S, put, self, request)
    else:
        put(self, request)


def patch() -> None:
    around(Committer, "put", take)


MUTANT = Mutant(
    "large_messages_overtaken",
    breaks=("ORD.2",),
    story="large messages have a lane of their own, and it is slower",
    patch=patch,
)
