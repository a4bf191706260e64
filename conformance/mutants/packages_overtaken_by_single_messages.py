from typing import Any

import gevent

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.messages import SendPackage
from refserver.business.committing import Committer

_SLOWER_S = 0.05


def take(put: Any, self: Any, request: Any) -> None:
    if isinstance(request.message, SendPackage):
        gevent.spawn_later(_SLOWER_S, put, self, request)
    else:
        put(self, request)


def patch() -> None:
    around(Committer, "put", take)


MUTANT = Mutant(
    "packages_overtaken_by_single_messages",
    breaks=("ORD.2",),
    story="packages have a lane of their own, and it is slower",
    patch=patch,
)
