"""frame_reorder: messages are overtaken by later ones."""

from dataclasses import dataclass

from chaos.frame_stage import FrameAttributes, FrameStage, check_probability, join
from chaos.stage import Item, Place
from chaos.toxics import toxic

MAX_WINDOW = 1000
HELD_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class FrameReorder(FrameAttributes):
    """Each message is held with `probability` until 1 to `window` later ones went by, drawn evenly; where
    none come, until `hold` milliseconds are over."""

    probability: float = 0.0
    window: int = 3
    hold: int = 200

    def check(self) -> None:
        FrameAttributes.check(self)
        check_probability(self.probability)
        if not 1 <= self.window <= MAX_WINDOW:
            raise ValueError(f"window must be between 1 and {MAX_WINDOW}, is {self.window}")
        if self.hold < 1:
            raise ValueError(f"hold must be positive, is {self.hold}")


class _Held:
    """`left`: by how many more messages it has to be overtaken."""

    __slots__ = ("due", "left", "message")

    def __init__(self, message: bytes, left: int, due: float) -> None:
        self.message, self.left, self.due = message, left, due


@toxic("frame_reorder", FrameReorder, go_struct="FrameReorderToxic")
class FrameReorderStage(FrameStage[FrameReorder]):
    """Counts "overtaken" besides: messages that came out behind a later one."""

    __slots__ = ("_waiting",)

    def __init__(self, attributes: FrameReorder, place: Place, now: float) -> None:
        super().__init__(attributes, place, now)
        self._waiting: list[_Held] = []

    def act(self, message: bytes, now: float, out: list[bytes]) -> None:
        if self._chance.random() < self.attributes.probability:
            left = 1 + int(self._chance.random() * self.attributes.window)
            self._waiting.append(_Held(message, left, now + self.attributes.hold / 1000))
            self._set_clock()
        else:
            self.spare(message, now, out)

    def spare(self, message: bytes, now: float, out: list[bytes]) -> None:
        out.append(message)
        waiting = self._waiting
        if not waiting:
            return
        overtaken = len(waiting)
        while True:
            # Whatever goes out, a message that waited as well, has overtaken those that came before it.
            for held in waiting[:overtaken]:
                held.left -= 1
            overtaken = next((place for place, held in enumerate(waiting) if held.left <= 0), -1)
            if overtaken < 0:
                break
            self._counts["overtaken"] += 1
            out.append(waiting.pop(overtaken).message)
        self._set_clock()

    def tick(self, now: float, out: list[Item]) -> None:
        join([held.message for held in self._waiting if held.due <= now], out)
        self._waiting = [held for held in self._waiting if held.due > now]
        self._set_clock()

    def let_go(self, out: list[bytes]) -> None:
        out += [held.message for held in self._waiting]
        self._waiting = []
        self._set_clock()

    @property
    def full(self) -> bool:
        return sum(len(held.message) for held in self._waiting) >= HELD_BYTES

    def _set_clock(self) -> None:
        self.wake_at = min((held.due for held in self._waiting), default=None)
