"""A hole in the inbox, from the moment it is seen until it is filled. Most clients have none."""

from protocol.messages import Entry

Held = tuple[Entry, str, int]
"""An entry that waits for those before it, how it came, and at which attempt."""


class Gap:
    """What is held back, and the pull that is to fill the hole.

    `newest`: the highest version known to exist; `announced`: the application was told; `pulls`: how often
    it was asked for since the last progress, 0 when it has to be asked for now; `barren`: how many answers
    brought nothing of what is missing; `due`: when to ask again.
    """

    __slots__ = ("announced", "barren", "due", "held", "newest", "pulls")

    def __init__(self, newest: int) -> None:
        self.held: dict[int, Held] = {}
        self.newest = newest
        self.announced = False
        self.pulls = 0
        self.barren = 0
        self.due = float("inf")


class Skipped:
    """Versions that were given up. One that comes after all is shown, late and out of order, but once."""

    __slots__ = ("_ranges", "_shown")

    def __init__(self) -> None:
        self._ranges: list[range] = []
        self._shown: set[int] = set()

    def add(self, after: int, until: int) -> None:
        self._ranges.append(range(after + 1, until + 1))

    def take(self, version: int) -> bool:
        """True the first time for each version that was skipped."""
        if version in self._shown or not any(version in skipped for skipped in self._ranges):
            return False
        self._shown.add(version)
        return True
