"""What a client remembers of an inbox without versions, from its first message on."""


class Recent:
    """`is_repeat` knows a key again for as long as fewer than KEYS others came since; it may for twice that.

    `remains`: what the last session has left for the next (`contract.ResumableSession`).
    """

    __slots__ = ("_before", "_keys", "remains")

    def __init__(self) -> None:
        self._keys: set[int] = set()
        self._before: set[int] = set()
        self.remains: object | None = None

    def is_repeat(self, key: str) -> bool:
        """Whether the key came before; from now on it did."""
        # A hash that nobody outside can foresee stands for the key: a text weighs three times that.
        mark = hash(key)
        if mark in self._keys:
            return True
        known = mark in self._before
        self._keys.add(mark)
        if len(self._keys) >= KEYS:
            self._keys, self._before = set(), self._keys
        return known


KEYS = 400
"""A repeat comes after a connection was made again, so within what a device is sent in a minute or so."""
