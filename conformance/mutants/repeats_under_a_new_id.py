"""A client that gives each repeat of a send an id of its own."""

import uuid
from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around, replace
from drivers.contract import Outgoing
from drivers.outbox import Pending
from drivers.requests import Requests
from drivers.state import State


def transmit(transmit: Any, self: Any, pending: Pending, now: float) -> None:
    outgoing = pending.outgoing
    if pending.attempts and self.state is State.ONLINE and isinstance(outgoing, Outgoing):
        self._session.submit(replace(outgoing, cid=uuid.uuid4().hex), pending.attempts + 1)
    transmit(self, pending, now)


def patch() -> None:
    around(Requests, "_transmit", transmit)


MUTANT = Mutant(
    "repeats_under_a_new_id",
    breaks=("DLV.1",),
    story="an answer that is late is taken for none, and what is sent again is a message of its own",
    patch=patch,
    carriers=(),
    is_client=True,
    under={"congested-cell": ("DLV.1",)},
)
