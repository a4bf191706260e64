from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from protocol.messages import Error
from refserver.business.planning import Plan


def patch() -> None:
    kept: dict[tuple[str, str, str], Any] = {}

    def send(send: Any, self: Any, request: Any) -> Any:
        cid = request.message.cid
        key = (request.user, request.device, cid.strip())
        first = kept.get(key)
        if first is not None:
            return replace(first, cid=cid)
        answer = send(self, request)
        if not isinstance(answer, Error):
            kept[key] = answer
        return answer

    around(Plan, "_send", send)


MUTANT = Mutant(
    "client_ids_trimmed",
    breaks=("DLV.2",),
    story="the database does not tell a client id from one with a space behind it",
    patch=patch,
)
