"""What business remembers between batches: all of it can be dropped at any time and loaded again."""

from collections.abc import Collection, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Generations(Generic[Key, Value]):
    """A bounded mapping that forgets what was not asked for during the last `size` new entries, or longer.

    Two dicts and no bookkeeping a hit: a full young one becomes the old one, and the old one goes.
    """

    __slots__ = ("_old", "_size", "_young")

    def __init__(self, size: int) -> None:
        self._size = size
        self._young: dict[Key, Value] = {}
        self._old: dict[Key, Value] = {}

    def get(self, key: Key) -> Value | None:
        """The value, or None."""
        value = self._young.get(key)
        if value is None:
            value = self._old.get(key)
            if value is not None:
                self[key] = value
        return value

    def __setitem__(self, key: Key, value: Value) -> None:
        self._young[key] = value
        if len(self._young) >= self._size:
            self._old, self._young = self._young, {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def clear(self) -> None:
        """Forget everything."""
        self._young, self._old = {}, {}


class Conversation:
    """Two users who may talk to each other, or a group. `sequence`: the newest given out."""

    __slots__ = ("members", "name", "sequence")

    def __init__(self, name: str, members: Collection[str], sequence: int) -> None:
        self.name = name
        self.members = members
        self.sequence = sequence


class Memory:
    """`versions`: the newest committed inbox version by user, told to devices that log in.

    `conversations`: by name, only those in which messages are permitted.
    """

    __slots__ = ("conversations", "versions")

    def __init__(self, users: int = 100_000, conversations: int = 50_000) -> None:
        self.versions: Generations[str, int] = Generations(users)
        self.conversations: Generations[str, Conversation] = Generations(conversations)

    def clear(self) -> None:
        """Forget everything: the store may know better."""
        self.versions.clear()
        self.conversations.clear()
