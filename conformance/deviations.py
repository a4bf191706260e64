"""What a case found that our clause would not have, and whether the target's own standard allows it.

What it forbids is a failure like any other. What it leaves open is a note: the case goes on, and whoever
reads the verdict sees what a client of such a server has to live with, with the witness.
"""

import pytest

from conformance.promises import Promises

notes_key = pytest.StashKey[list[str]]()


class Judge:
    """`judge(holds, name, witness)`: nothing when it `holds`; else a note where the standard's file allows a
    deviation of that name, and an AssertionError where it does not."""

    def __init__(self, promises: Promises | None, query: frozenset[str], notes: list[str]) -> None:
        self._promises = promises
        self._query = query
        self._notes = notes

    @property
    def is_by_our_protocol(self) -> bool:
        """Whether the target has no standard of its own."""
        return self._promises is None

    def __call__(self, holds: bool, name: str, witness: str) -> None:
        if holds:
            return
        allowance = None if self._promises is None else self._promises.allowance(name, self._query)
        if allowance is None:
            raise AssertionError(witness)
        where = f" ({', '.join(allowance.by)})" if allowance.by else ""
        self._notes.append(f"{witness}; allowed: {allowance.text}{where}")
