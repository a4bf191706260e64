from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import acknowledged, around
from protocol.messages import Pull
from refserver.business.business import Business


def patch() -> None:
    reached: dict[tuple[str, str], int] = {}

    def tell(connection: Any, version: int) -> None:
        reached[connection.presence.user, connection.device] = version

    def request(ask: Any, self: Any, node: Any, number: int, user: str, device: str, message: Any) -> None:
        if isinstance(message, Pull):
            message = Pull(max(message.after, reached.get((user, device), 0)), message.limit)
        ask(self, node, number, user, device, message)

    acknowledged(tell)
    around(Business, "request", request)


MUTANT = Mutant(
    "pull_cursor_of_the_device",
    breaks=("ROM.2",),
    story="the server knows better than the device what the device has",
    patch=patch,
)
