from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from protocol.errors import ErrorCode
from protocol.limits import KINDS
from protocol.messages import Error
from refserver.business.planning import Plan


def send(send: Any, self: Any, request: Any) -> Any:
    kind = request.message.kind
    if kind in KINDS:
        return send(self, request)
    send(self, request._replace(message=replace(request.message, kind="custom")))
    return Error(ErrorCode.UNKNOWN_KIND, f"unknown kind {kind}", request.message.cid)


def patch() -> None:
    around(Plan, "_send", send)


MUTANT = Mutant(
    "refused_sends_stored",
    breaks=("DLV.8",),
    story="a send is stored first and looked at then",
    patch=patch,
)
