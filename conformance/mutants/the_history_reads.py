from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, read_unasked
from protocol.messages import HistoryPage
from refserver.access.node import AccessNode


def reply(reply: Any, self: Any, connection: int, message: Any) -> None:
    held = self.lines.get(connection)
    if isinstance(message, HistoryPage) and held is not None and held.presence is not None:
        read_unasked(self._service, held.presence.user, message.entries)
    reply(self, connection, message)


def patch() -> None:
    around(AccessNode, "reply", reply)


MUTANT = Mutant(
    "the_history_reads",
    breaks=("UNR.1",),
    story="whoever asks for a history has read it",
    patch=patch,
)
