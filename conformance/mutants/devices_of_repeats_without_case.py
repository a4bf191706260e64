from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business.committing import Committer


def take(take: Any, self: Any, request: Any) -> None:
    take(self, request._replace(device=request.device.lower()))


def patch() -> None:
    around(Committer, "put", take)


MUTANT = Mutant(
    "devices_of_repeats_without_case",
    breaks=("DLV.2",),
    story="in the table of repeats devices are compared as the database compares text",
    patch=patch,
)
