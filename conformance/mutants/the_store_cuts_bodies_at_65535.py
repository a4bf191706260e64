from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.storage import writing

_COLUMN_BYTES = 65_535
_WIDTH, _BODY = 10, 8


def write(write: Any, cursor: Any, rows: Any, *more: Any) -> None:
    for at in range(_BODY, len(rows.messages), _WIDTH):
        rows.messages[at] = rows.messages[at][:_COLUMN_BYTES]
    write(cursor, rows, *more)


def patch() -> None:
    around(writing, "write", write)


MUTANT = Mutant(
    "the_store_cuts_bodies_at_65535",
    breaks=("STO.1",),
    story="the column for bodies holds one byte less than the largest one has",
    patch=patch,
)
