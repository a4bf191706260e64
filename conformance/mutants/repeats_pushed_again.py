from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, key_of
from protocol.messages import Sent
from refserver.business.committing import Committer
from refserver.business.planning import Plan


def patch() -> None:
    pushed: dict[int, Any] = {}

    def push(push: Any, self: Any, delivery: Any) -> None:
        pushed[delivery.mid] = delivery
        push(self, delivery)

    def send(send: Any, self: Any, request: Any) -> Any:
        is_repeat = key_of(request) in self._answers
        answer = send(self, request)
        if is_repeat and isinstance(answer, Sent) and answer.mid in pushed:
            self.deliveries.append(pushed[answer.mid])
        return answer

    around(Committer, "_push", push)
    around(Plan, "_send", send)


MUTANT = Mutant(
    "repeats_pushed_again",
    breaks=("DLV.2",),
    story="a repeat is not stored again, but goes the whole way to the recipient",
    patch=patch,
)
