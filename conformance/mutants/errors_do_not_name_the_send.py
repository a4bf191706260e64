from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from protocol.messages import Error
from refserver.business.planning import Plan


def send(send: Any, self: Any, request: Any) -> Any:
    answer = send(self, request)
    return replace(answer, cid=None) if isinstance(answer, Error) else answer


def patch() -> None:
    around(Plan, "_send", send)


MUTANT = Mutant(
    "errors_do_not_name_the_send",
    breaks=("DLV.8",),
    story="an error says what is wrong and not with which send",
    patch=patch,
)
