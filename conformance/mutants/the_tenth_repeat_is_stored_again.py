from collections import Counter
from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, key_of, store_anew
from refserver.business.planning import Plan


def patch() -> None:
    attempts: Counter[tuple[str, str, str]] = Counter()

    def send(send: Any, self: Any, request: Any) -> Any:
        key = key_of(request)
        attempts[key] += 1
        return store_anew(send, self, request) if attempts[key] % 10 == 0 else send(self, request)

    around(Plan, "_send", send)


MUTANT = Mutant(
    "the_tenth_repeat_is_stored_again",
    breaks=("DLV.2",),
    story="a counter of attempts runs over, and the send is taken for a new one",
    patch=patch,
)
