from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from protocol.messages import Pulled
from refserver.access.node import AccessNode
from refserver.business.committing import Committer


def patch() -> None:
    sent: dict[int, tuple[str, str]] = {}

    def push(push: Any, self: Any, delivery: Any) -> None:
        sent[delivery.mid] = (delivery.sender, delivery.request.device)
        push(self, delivery)

    def reply(reply: Any, self: Any, connection: int, message: Any) -> None:
        held = self.lines.get(connection)
        if isinstance(message, Pulled) and held is not None and held.presence is not None:
            own = (held.presence.user, held.device)
            message = replace(message, entries=[e for e in message.entries if sent.get(e.mid) != own])
        reply(self, connection, message)

    around(Committer, "_push", push)
    around(AccessNode, "reply", reply)


MUTANT = Mutant(
    "pull_without_what_the_device_sent",
    breaks=("DLV.6",),
    story="a device is taken to have for ever what it has sent itself",
    patch=patch,
)
