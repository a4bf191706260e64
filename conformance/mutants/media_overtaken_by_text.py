from typing import Any

import gevent

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.messages import Send
from refserver.business.committing import Committer

_SLOWER_S = 0.05


def take(put: Any, self: Any, request: Any) -> None:
    if isinstance(request.message, Send) and request.message.kind != "text":
        gevent.spawn_later(_SLOWER_S, put, self, request)
    else:
        put(self, request)


def patch() -> None:
    around(Committer, "put", take)


MUTANT = Mutant(
    "media_overtaken_by_text",
    breaks=("ORD.2",),
    story="what is not text has a lane of its own, and it is slower",
    patch=patch,
)
