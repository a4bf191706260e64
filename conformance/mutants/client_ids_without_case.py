from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from protocol.messages import Error
from refserver.business.planning import Plan


def patch() -> None:
    kept: dict[tuple[str, str, str], Any] = {}

    def send(send: Any, self: Any, request: Any) -> Any:
        key = (request.user, request.device, request.message.cid.lower())
        first = kept.get(key)
        if first is not None:
            return replace(first, cid=request.message.cid)
        answer = send(self, request)
        if not isinstance(answer, Error):
            kept[key] = answer
        return answer

    around(Plan, "_send", send)


MUTANT = Mutant(
    "client_ids_without_case",
    breaks=("DLV.2",),
    story="client ids are compared as the database compares text: without regard to case",
    patch=patch,
)
