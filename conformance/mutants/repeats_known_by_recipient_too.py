from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, key_of, store_anew
from refserver.business.planning import Plan


def patch() -> None:
    recipients: dict[tuple[str, str, str], str] = {}

    def send(send: Any, self: Any, request: Any) -> Any:
        first = recipients.setdefault(key_of(request), request.message.to)
        return send(self, request) if first == request.message.to else store_anew(send, self, request)

    around(Plan, "_send", send)


MUTANT = Mutant(
    "repeats_known_by_recipient_too",
    breaks=("DLV.2",),
    story="a repeat is one if it also goes to the same recipient",
    patch=patch,
)
