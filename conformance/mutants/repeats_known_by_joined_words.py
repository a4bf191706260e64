from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from refserver.business.committing import Committer


def patch() -> None:
    cids: dict[int, str] = {}

    def take(take: Any, self: Any, request: Any) -> None:
        cid = getattr(request.message, "cid", None)
        if cid is not None:
            joined = replace(request.message, cid=request.device + cid)
            cids[id(joined)] = cid
            request = request._replace(message=joined, device="")
        take(self, request)

    def publish(publish: Any, self: Any, plan: Any) -> None:
        plan.replies = [
            (
                request,
                replace(answer, cid=cids.pop(id(request.message))) if hasattr(answer, "cid") else answer,
            )
            for request, answer in plan.replies
        ]
        publish(self, plan)

    around(Committer, "put", take)
    around(Committer, "_publish", publish)


MUTANT = Mutant(
    "repeats_known_by_joined_words",
    breaks=("DLV.2",),
    story="device and client id are written one behind the other to make a key, and nothing stands between",
    patch=patch,
)
