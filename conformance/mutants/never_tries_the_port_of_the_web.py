"""A client that knows three ports where there are four: 443 is for browsers, somebody thought."""

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from drivers.ladder import candidates


def of_addresses(of_addresses: Any, origin: Any, addresses: Any) -> Any:
    left_out = origin.ports[1:2]
    return [each for each in of_addresses(origin, addresses) if each.endpoint.port not in left_out]


def patch() -> None:
    around(candidates, "of_addresses", of_addresses)


MUTANT = Mutant(
    "never_tries_the_port_of_the_web",
    breaks=("CHN.3",),
    story="a client tries 14000, 8080 and 80, and never 443, which is thought to be for browsers",
    patch=patch,
    is_client=True,
    under={"office-firewall": ("CHN.3",)},
)
