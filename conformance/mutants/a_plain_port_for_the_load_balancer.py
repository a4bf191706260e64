from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from reactor import sockets
from refserver.serve import Server


def start(start: Any, self: Any) -> None:
    start(self)
    self._http.listen(sockets.listen("127.0.0.1", 0))


def patch() -> None:
    around(Server, "start", start)


MUTANT = Mutant(
    "a_plain_port_for_the_load_balancer",
    breaks=("SEC.1",),
    story="whatever is configured, plain HTTP is open as well, for health checks",
    patch=patch,
)
