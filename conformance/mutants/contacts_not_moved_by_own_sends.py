from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.business.planning import Plan

_WIDTH = 7
_UNREAD = 5


def finish(finish: Any, self: Any) -> None:
    finish(self)
    flat = self.rows.contacts
    rows = [flat[at : at + _WIDTH] for at in range(0, len(flat), _WIDTH)]
    flat[:] = [value for row in rows if row[_UNREAD] for value in row]


def patch() -> None:
    around(Plan, "_finish_contacts", finish)


MUTANT = Mutant(
    "contacts_not_moved_by_own_sends",
    breaks=("STO.3",),
    story="whom a user writes to is no recent contact until he answers",
    patch=patch,
)
