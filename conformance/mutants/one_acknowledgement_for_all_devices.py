from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import acknowledged


def tell(connection: Any, version: int) -> None:
    for each in connection.presence.devices():
        if each.window is not None:
            each.window.acknowledge(version)


def patch() -> None:
    acknowledged(tell)


MUTANT = Mutant(
    "one_acknowledgement_for_all_devices",
    breaks=("ROM.1",),
    story="what one device has, all are taken to have",
    patch=patch,
)
