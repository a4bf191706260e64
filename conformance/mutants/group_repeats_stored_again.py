from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, key_of, store_anew
from protocol.messages import Send
from protocol.names import is_group
from refserver.business.planning import Plan


def send(send: Any, self: Any, request: Any) -> Any:
    message = request.message
    is_repeat = key_of(request) in self._answers
    if is_repeat and isinstance(message, Send) and is_group(message.to):
        return store_anew(send, self, request)
    return send(self, request)


def patch() -> None:
    around(Plan, "_send", send)


MUTANT = Mutant(
    "group_repeats_stored_again",
    breaks=("DLV.2",),
    story="only what goes to one recipient is looked up among the repeats",
    patch=patch,
)
