from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.http.server import HttpNode


def patch() -> None:
    users: dict[int, tuple[Any, str]] = {}

    def known(known: Any, self: Any, call: Any, request: Any) -> bool:
        if not known(self, call, request):
            return False
        _, exchange = self._calls[call.number]
        held, user = users.get(id(exchange), (None, ""))
        users[id(exchange)] = (exchange, call.user)
        if held is exchange:
            call.user = user
        return True

    around(HttpNode, "_is_known", known)


MUTANT = Mutant(
    "a_new_token_counts_from_the_next_request",
    breaks=("SEC.5",),
    story="a kept-alive connection is who it was until the request after a change of token",
    patch=patch,
)
