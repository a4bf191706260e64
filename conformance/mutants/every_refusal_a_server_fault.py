from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.errors import ErrorCode
from refserver.business.planning import Plan


def refusal(refusal: Any, self: Any, *request: Any) -> Any:
    return (ErrorCode.SERVER_FAULT, "oops") if refusal(self, *request) else None


def patch() -> None:
    around(Plan, "_refusal", refusal)


MUTANT = Mutant(
    "every_refusal_a_server_fault",
    breaks=("DLV.8",),
    story="whatever goes wrong is error 500",
    patch=patch,
)
