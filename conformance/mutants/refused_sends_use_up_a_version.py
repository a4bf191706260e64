from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.messages import Error
from refserver.business.planning import Plan


def send(send: Any, self: Any, request: Any) -> Any:
    answer = send(self, request)
    to = request.message.to
    if isinstance(answer, Error) and self._memory.versions.get(to) is not None:
        self.versions[to] = self._version(to) + 1
    return answer


def patch() -> None:
    around(Plan, "_send", send)


MUTANT = Mutant(
    "refused_sends_use_up_a_version",
    breaks=("DLV.8",),
    story="the version is drawn before the send is looked at",
    patch=patch,
)
