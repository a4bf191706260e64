"""A client that takes any answer for that of a server."""

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import put
from drivers.pumps import scouts


def believed(message: Any) -> None:
    """Whatever it was."""


def patch() -> None:
    put(scouts, "check_probe", believed)


MUTANT = Mutant(
    "whoever_answers_is_believed",
    breaks=("CHN.6",),
    story="a port that answers is the server's; where only the resolver is left it hands out the token",
    patch=patch,
    carriers=(),
    is_client=True,
    under={"office-firewall": ("CHN.6",)},
)
