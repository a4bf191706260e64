"""A hole in the inbox, from the moment it is seen until it is filled. Most clients have none."""

from protocol.messages import Entry

Held = tuple[Entry, str, int]
"""An entry that waits for those before it, how it came, and at which attempt."""


class Gap:
    """What is held back, and the pull that is to fill the hole.

    `newest`: the highest version known to exist; `pulls`: how often it was asked for since the last
    progress; `barren`: how many answers brought nothing of what is missing; `due`: when to ask again.
    """

    __slots__ = ("barren", "due", "held", "newest", "pulls")

    def __init__(self, newest: int) -> None:
        self.held: dict[int, Held] = {}
        self.newest = newest
        self.pulls = 0
        self.barren = 0
        self.due = 0.0
