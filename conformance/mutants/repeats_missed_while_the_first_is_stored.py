from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, key_of, store_anew
from refserver.business.planning import Plan


def patch() -> None:
    under_way: dict[str, Any] = {"plan": None, "keys": set()}

    def send(send: Any, self: Any, request: Any) -> Any:
        if under_way["plan"] is not self:
            under_way.update(plan=self, keys=set())
        key = key_of(request)
        if key in under_way["keys"]:
            return store_anew(send, self, request)
        if key not in self._answers:
            under_way["keys"].add(key)
        return send(self, request)

    around(Plan, "_send", send)


MUTANT = Mutant(
    "repeats_missed_while_the_first_is_stored",
    breaks=("DLV.2",),
    story="repeats are looked up in the store, where the first is not yet",
    patch=patch,
)
