from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business.committing import Committer


def put(put: Any, self: Any, request: Any) -> None:
    put(self, request._replace(device=f"{request.device} {request.connection}"))


def patch() -> None:
    around(Committer, "put", put)


MUTANT = Mutant(
    "repeats_known_while_the_connection_lasts",
    breaks=("DLV.1", "DLV.2"),
    story="the table of repeats belongs to the connection and goes with it",
    patch=patch,
    under={"subway": ("DLV.2",)},
)
