from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import acknowledged, asked
from protocol.messages import Pull


def patch() -> None:
    reached: dict[str, int] = {}

    def tell(connection: Any, version: int) -> None:
        reached[connection.presence.user] = version

    acknowledged(tell)
    asked(Pull, lambda user, pull: Pull(max(pull.after, reached.get(user, 0)), pull.limit))


MUTANT = Mutant(
    "pull_cursor_of_the_user",
    breaks=("ROM.2",),
    story="what one device has acknowledged is gone for the others",
    patch=patch,
)
