from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, store_anew
from protocol.messages import SendPackage
from refserver.business.planning import Plan


def send(send: Any, self: Any, request: Any) -> Any:
    if isinstance(request.message, SendPackage):
        return store_anew(send, self, request)
    return send(self, request)


def patch() -> None:
    around(Plan, "_send", send)


MUTANT = Mutant(
    "repeated_packages_stored_again",
    breaks=("ORD.4",),
    story="repeats are recognised for single messages only",
    patch=patch,
)
