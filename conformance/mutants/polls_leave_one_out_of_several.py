from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from protocol.messages import Pulled
from refserver.access.http.inbox import LongPoll


def pulled(pulled: Any, self: Any, reply: Any) -> None:
    if isinstance(reply, Pulled) and len(reply.entries) > 2:
        reply = replace(reply, entries=[reply.entries[0], *reply.entries[2:]])
    pulled(self, reply)


def patch() -> None:
    around(LongPoll, "_pulled", pulled)


MUTANT = Mutant(
    "polls_leave_one_out_of_several",
    breaks=("WAY.2",),
    story="of several messages that come during one poll the second is taken for an echo",
    patch=patch,
    carriers=("longpoll",),
)
