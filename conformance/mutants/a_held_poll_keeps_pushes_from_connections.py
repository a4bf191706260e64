from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.http.server import HttpNode
from refserver.business.presence import Presence


def nodes_of(nodes_of: Any, self: Any, user: str) -> Any:
    nodes = nodes_of(self, user)
    polling = [node for node in nodes if isinstance(node, HttpNode)]
    return polling or nodes


def patch() -> None:
    around(Presence, "nodes_of", nodes_of)


MUTANT = Mutant(
    "a_held_poll_keeps_pushes_from_connections",
    breaks=("CHN.2",),
    story="a user is in one place at a time: while he polls, his connections are told nothing",
    patch=patch,
)
