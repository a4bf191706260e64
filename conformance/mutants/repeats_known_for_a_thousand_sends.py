from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, key_of, store_anew
from protocol.messages import Error
from refserver.business.planning import Plan

_SIZE = 1000


def patch() -> None:
    known: dict[tuple[str, str, str], Any] = {}

    def send(send: Any, self: Any, request: Any) -> Any:
        key = key_of(request)
        if key not in known:
            answer = store_anew(send, self, request)
            if isinstance(answer, Error):
                return answer
            known[key] = answer
            if len(known) > _SIZE:
                del known[next(iter(known))]
        return known[key]

    around(Plan, "_send", send)


MUTANT = Mutant(
    "repeats_known_for_a_thousand_sends",
    breaks=("DLV.2",),
    story="the table of repeats is a cache of fixed size",
    patch=patch,
)
