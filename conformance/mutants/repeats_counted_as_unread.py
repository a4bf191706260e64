from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, conversation_of, key_of
from protocol.messages import Sent
from refserver.business.planning import Plan
from refserver.storage.writing import Rows


def send(send: Any, self: Any, request: Any) -> Any:
    is_repeat = key_of(request) in self._answers
    answer = send(self, request)
    if is_repeat and isinstance(answer, Sent):
        self._touch(conversation_of(self, request), answer.mid, request.user, 1)
    return answer


def patch() -> None:
    around(Plan, "_send", send)
    around(Rows, "is_empty", lambda is_empty, self: is_empty(self) and not self.contacts)


MUTANT = Mutant(
    "repeats_counted_as_unread",
    breaks=("UNR.1",),
    story="a repeat is not stored again, but raises the count once more",
    patch=patch,
    under={"congested-cell": ("UNR.3",)},
)
