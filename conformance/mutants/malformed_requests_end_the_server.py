import os
from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.http.parsing import Refused, RequestParser


def feed(feed: Any, self: Any, data: bytes) -> Any:
    try:
        found = feed(self, data)
    except Refused as refused:
        if str(refused).startswith("malformed"):
            os._exit(1)
        raise
    return found


def patch() -> None:
    around(RequestParser, "feed", feed)


MUTANT = Mutant(
    "malformed_requests_end_the_server",
    breaks=("SEC.6",),
    story="the parser of HTTP raises what nobody catches",
    patch=patch,
)
