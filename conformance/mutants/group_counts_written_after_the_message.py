from typing import Any

import gevent

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from protocol.names import is_group
from refserver.storage import Storage
from refserver.storage.writing import Rows

_WIDTH = 7
_BETWEEN_S = 0.02


def write(write: Any, self: Any, rows: Rows) -> None:
    flat = rows.contacts
    each = [flat[at : at + _WIDTH] for at in range(0, len(flat), _WIDTH)]
    first, then = (
        [value for row in each if is_group(row[1]) is late for value in row] for late in (False, True)
    )
    write(self, Rows(rows.messages, rows.inbox, first, rows.reads))
    if then:
        gevent.sleep(_BETWEEN_S)
        write(self, Rows([], [], then, []))


def patch() -> None:
    around(Storage, "write", write)


MUTANT = Mutant(
    "group_counts_written_after_the_message",
    breaks=("ARC.2",),
    story="counts and contacts of a group, which are many, are left to a second transaction",
    patch=patch,
)
