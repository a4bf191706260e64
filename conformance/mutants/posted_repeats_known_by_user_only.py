from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.http.server import HttpNode


def known(known: Any, self: Any, call: Any, request: Any) -> bool:
    found: bool = known(self, call, request)
    call.device = "http"
    return found


def patch() -> None:
    around(HttpNode, "_is_known", known)


MUTANT = Mutant(
    "posted_repeats_known_by_user_only",
    breaks=("CHN.1",),
    story="over HTTP a device is not asked for: client ids count for the user",
    patch=patch,
)
