import itertools
from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.limits import KINDS, MAX_MESSAGE_BODY_BYTES
from protocol.messages import Error, SendPackage
from refserver.business.planning import Plan


def send(send: Any, self: Any, request: Any) -> Any:
    message = request.message
    answer = send(self, request)
    if isinstance(message, SendPackage) and isinstance(answer, Error):
        good = list(itertools.takewhile(_is_good, message.items))
        if good and len(good) < len(message.items):
            self._accept(request, good)
    return answer


def _is_good(item: Any) -> bool:
    return item.kind in KINDS and len(item.body) <= MAX_MESSAGE_BODY_BYTES


def patch() -> None:
    around(Plan, "_send", send)


MUTANT = Mutant(
    "packages_half_stored",
    breaks=("ORD.4",),
    story="a package is stored item by item, up to the first that is refused",
    patch=patch,
)
