from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.http.server import HttpNode


def patch() -> None:
    devices: dict[int, tuple[Any, str]] = {}

    def known(known: Any, self: Any, call: Any, request: Any) -> bool:
        if not known(self, call, request):
            return False
        _, exchange = self._calls[call.number]
        held, device = devices.get(id(exchange), (None, ""))
        if held is exchange:
            call.device = device
        else:
            devices[id(exchange)] = (exchange, call.device)
        return True

    around(HttpNode, "_is_known", known)


MUTANT = Mutant(
    "devices_stick_to_http_connections",
    breaks=("CHN.1",),
    story="the first request of a kept-alive connection says which device it is",
    patch=patch,
)
