from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, key_of, replace
from protocol.messages import Sent
from refserver.business.planning import Plan


def send(send: Any, self: Any, request: Any) -> Any:
    is_repeat = key_of(request) in self._answers
    answer = send(self, request)
    if is_repeat and isinstance(answer, Sent):
        return replace(answer, version=self._version(request.user))
    return answer


def patch() -> None:
    around(Plan, "_send", send)


MUTANT = Mutant(
    "repeats_answered_with_the_newest_version",
    breaks=("DLV.2",),
    story="a repeat is answered from what is known now and not with the first answer",
    patch=patch,
)
