"""What a toxic is to a link: a stage that takes bytes and time and gives bytes back. No sockets, no clock."""

import enum
from collections import Counter
from typing import Any, ClassVar, Generic, TypeVar, cast

from chaos.chance import Chance
from chaos.framing import Follower

A = TypeVar("A")
T = TypeVar("T")

HELD_BYTES = 64 * 1024
"""A stage that holds as much as this back asks for no more."""


class End(enum.Enum):
    """How a stream of bytes ends."""

    EOF = "eof"
    RESET = "reset"


Item = bytes | End


class Place:
    """Where a stage stands: the source of its chance, what it counts for, and the frames that went before.

    `seed` belongs to the server, `key` names proxy, connection, direction and toxic, so that the draws of one
    connection do not depend on what others do. `follower` has seen all that left the link before the stage
    was added, None when that was no stream of frames. `counts` is shared by all stages of one toxic.
    """

    __slots__ = ("_common", "counts", "follower", "key", "seed")

    def __init__(
        self,
        seed: int,
        key: str,
        follower: Follower | None,
        counts: "Counter[str] | None" = None,
        common: dict[type, object] | None = None,
    ) -> None:
        self.seed = seed
        self.key = key
        self.follower = follower
        self.counts: Counter[str] = Counter() if counts is None else counts
        self._common: dict[type, object] = {} if common is None else common

    def shared(self, kind: type[T]) -> T:
        """The one `kind()` of all stages of the toxic."""
        return cast(T, self._common.setdefault(kind, kind()))

    def chance(self, seed: int = 0) -> Chance:
        """A repeatable stream of it; `seed`, unless 0, takes the place of the server's."""
        return Chance(f"{seed or self.seed}/{self.key}")


class Stage(Generic[A]):
    """One toxic on one link. By itself it changes nothing: a toxic overrides what it needs.

    Each method appends to `out` what leaves the stage now, in order; nothing after an End is looked at.
    `wake_at` is the monotonic second at which `tick` wants to be called, None for never.
    """

    __slots__ = ("active", "attributes", "ended", "wake_at")

    closes_on_removal: ClassVar[bool] = False

    def __init__(self, attributes: A, place: Place, now: float) -> None:
        self.attributes = attributes
        self.active = True
        self.ended = False
        self.wake_at: float | None = None

    def feed(self, data: bytes, now: float, out: list[Item]) -> None:
        """`data`, never empty, has come."""
        out.append(data)

    def end(self, end: End, now: float, out: list[Item]) -> None:
        """The stream ended; called at most once, and no `feed` follows."""
        out.append(end)

    def tick(self, now: float, out: list[Item]) -> None:
        """`wake_at` has come."""

    def release(self, now: float, out: list[Item]) -> None:
        """The stage stops acting: everything that it holds back has to go out."""

    def update(self, attributes: A, now: float, out: list[Item]) -> None:
        """New attributes hold from now on, for what is held back too."""
        self.attributes = attributes

    def skip(self, items: list[Item]) -> None:
        """`items` pass while toxicity spares this link."""

    @property
    def full(self) -> bool:
        """True while the source should not be read."""
        return False

    def take(self, items: list[Item], now: float) -> list[Item]:
        """All of `items` through this stage."""
        out: list[Item] = []
        for item in items:
            if self.ended:
                break
            if isinstance(item, End):
                self.end(item, now, out)
            else:
                self.feed(item, now, out)
            self.seal(out)
        return out

    def seal(self, out: list[Item]) -> None:
        """After an End has left, the stage takes no more."""
        if out and isinstance(out[-1], End):
            self.ended = True
            self.wake_at = None


AnyStage = Stage[Any]
