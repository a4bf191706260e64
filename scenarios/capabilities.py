"""What of a scenario needs more than every protocol offers; where it is not offered, nobody does it."""

from dataclasses import replace
from typing import Any

from drivers.endpoints import TargetError, parse_target
from scenarios.options import SwarmOptions

NEEDED = {
    "two_devices": "multi_device",
    "package_share": "packages",
    "away_share": "offline",
    "read_share": "unread",
}
"""Options that are shares, and the capability without which each is none."""


def lacking(offers: frozenset[str]) -> dict[str, str]:
    """Those of NEEDED that a protocol which offers this cannot do."""
    return {name: needed for name, needed in NEEDED.items() if needed not in offers}


def within(options: SwarmOptions, target: str) -> SwarmOptions:
    """The options with nothing that the protocol of the target, a URL, does not offer."""
    try:
        offers = parse_target(target).dialect.offers
    except TargetError:
        return options  # whoever connects there says what is wrong with it
    nothing: dict[str, Any] = dict.fromkeys(lacking(offers), 0.0)
    return replace(options, **nothing)


def promises(target: str) -> dict[str, Any]:
    """What environment.json says of the target's protocol: `dialect`, and what it `offers`, so that a run is
    judged by that alone. Raises TargetError."""
    dialect = parse_target(target).dialect
    return {"dialect": dialect.name, "offers": sorted(dialect.offers)}
