"""A hole in the inbox, from the moment it is seen until it is filled. A client without one has no such object."""

from protocol.messages import Entry

Held = tuple[Entry, str, int]
"""An entry that waits for those before it, how it came, and at which attempt."""


class Gap:
    """What is held back, and the pull that is to fill the hole.

    `newest`: the highest version known to exist; `attempts`: pulls since the last progress.
    """

    __slots__ = ("attempts", "due", "held", "newest")

    def __init__(self, newest: int) -> None:
        self.held: dict[int, Held] = {}
        self.newest = newest
        self.attempts = 0
        self.due = 0.0
