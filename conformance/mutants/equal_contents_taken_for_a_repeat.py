import time
from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from protocol.messages import Send, Sent
from refserver.business.planning import Plan

_SECONDS = 5.0


def patch() -> None:
    said: dict[tuple[str, str, bytes], tuple[float, Any]] = {}

    def send(send: Any, self: Any, request: Any) -> Any:
        message = request.message
        if not isinstance(message, Send):
            return send(self, request)
        key = (request.user, message.to, message.body)
        at, answer = said.get(key, (0.0, None))
        if answer is None or time.monotonic() - at > _SECONDS:
            answer = send(self, request)
            if isinstance(answer, Sent):
                said[key] = (time.monotonic(), answer)
        return replace(answer, cid=message.cid)

    around(Plan, "_send", send)


MUTANT = Mutant(
    "equal_contents_taken_for_a_repeat",
    breaks=("STO.1",),
    story="the same words twice in a few seconds are taken for a slip",
    patch=patch,
)
