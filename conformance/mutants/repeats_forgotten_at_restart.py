from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, key_of, store_anew
from protocol.messages import Error
from refserver.business.planning import Plan


def patch() -> None:
    known: dict[tuple[str, str, str], Any] = {}

    def send(send: Any, self: Any, request: Any) -> Any:
        key = key_of(request)
        answer = known.get(key) or store_anew(send, self, request)
        if not isinstance(answer, Error):
            known[key] = answer
        return answer

    around(Plan, "_send", send)


MUTANT = Mutant(
    "repeats_forgotten_at_restart",
    breaks=("DLV.2",),
    story="the table of repeats is kept in memory, and a restart empties it",
    patch=patch,
)
