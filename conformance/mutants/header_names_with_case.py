from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.http.parsing import RequestParser


def on_header(on_header: Any, self: Any, name: bytes, value: bytes) -> None:
    if name.lower() != b"authorization" or name == b"Authorization":
        on_header(self, name, value)


def patch() -> None:
    around(RequestParser, "on_header", on_header)


MUTANT = Mutant(
    "header_names_with_case",
    breaks=("CHN.4",),
    story="a header is looked up as the client of the house writes it",
    patch=patch,
)
