from typing import Any
from urllib.parse import parse_qsl

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.http.server import HttpNode

_ROUTES = ("/v1/unread", "/v1/contacts")


def run(run: Any, self: Any, call: Any, route: Any, request: Any, query: str) -> None:
    if route.path in _ROUTES:
        call.user = dict(parse_qsl(query)).get("user", call.user)
    run(self, call, route, request, query)


def patch() -> None:
    around(HttpNode, "_run", run)


MUTANT = Mutant(
    "a_query_may_name_the_user",
    breaks=("SEC.5",),
    story="counts and contacts are those of ?user=, for the sake of the support",
    patch=patch,
)
