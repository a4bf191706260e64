from typing import Any

import gevent

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.storage import Storage
from refserver.storage.writing import Rows

_BETWEEN_S = 0.02


def write(write: Any, self: Any, rows: Rows) -> None:
    write(self, Rows([], [], rows.contacts, rows.reads))
    gevent.sleep(_BETWEEN_S)
    write(self, Rows(rows.messages, rows.inbox, [], []))


def patch() -> None:
    around(Storage, "write", write)


MUTANT = Mutant(
    "counts_written_before_the_message",
    breaks=("ARC.2", "UNR.3"),
    story="message and count are two transactions, the count first",
    patch=patch,
)
