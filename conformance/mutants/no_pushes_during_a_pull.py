import time
from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.messages import Pull
from refserver.access.node import AccessNode

_MEANWHILE_S = 0.5


def patch() -> None:
    pulled: dict[int, float] = {}

    def request(ask: Any, self: Any, connection: Any, message: Any) -> None:
        if isinstance(message, Pull):
            pulled[connection.number] = time.monotonic()
        ask(self, connection, message)

    def push_to(push_to: Any, self: Any, connection: Any, *push: Any) -> None:
        if time.monotonic() - pulled.get(connection.number, 0.0) > _MEANWHILE_S:
            push_to(self, connection, *push)

    around(AccessNode, "_request", request)
    around(AccessNode, "_push_to", push_to)


MUTANT = Mutant(
    "no_pushes_during_a_pull",
    breaks=("ROM.4",),
    story="a device that catches up is pushed nothing meanwhile, nor afterwards",
    patch=patch,
)
