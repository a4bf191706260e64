from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, conversation_of, key_of
from refserver.business.planning import Plan


def send(send: Any, self: Any, request: Any) -> Any:
    is_repeat = key_of(request) in self._answers
    answer = send(self, request)
    conversation = conversation_of(self, request)
    if is_repeat and conversation is not None:
        self.versions.update({owner: self._version(owner) + 1 for owner in conversation.members})
    return answer


def patch() -> None:
    around(Plan, "_send", send)


MUTANT = Mutant(
    "repeats_use_up_a_version",
    breaks=("DLV.4",),
    story="the version is drawn before the send is looked up among the repeats",
    patch=patch,
)
