from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.http.server import HttpNode
from refserver.business.committing import Committer


def take(take: Any, self: Any, request: Any) -> None:
    if isinstance(request.node, HttpNode):
        request = request._replace(device=f"{request.device} over http")
    take(self, request)


def patch() -> None:
    around(Committer, "put", take)


MUTANT = Mutant(
    "posted_repeats_not_recognised",
    breaks=("CHN.1",),
    story="each way has a table of repeats of its own",
    patch=patch,
)
