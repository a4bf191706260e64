"""A client that asks a proxy as it would ask the server."""

from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from drivers.carriers.http_line import Line


def init(init: Any, self: Any, headers: bytes, prefix: str = "") -> None:
    init(self, headers)


def patch() -> None:
    around(Line, "__init__", init)


MUTANT = Mutant(
    "proxies_are_not_told_where_to",
    breaks=("CHN.4",),
    story="requests go to the proxy with a bare path; some proxies guess the rest from Host",
    patch=patch,
    is_client=True,
)
