"""The toxics of one link in a row: bytes and time in, bytes and the end out. No I/O."""

from typing import Any

from chaos.stage import AnyStage, End, Item


class Pipeline:
    """Each method returns what leaves the last stage now. After an End, nothing more comes.

    A stage is found again by its `key`, whatever object that is.
    """

    __slots__ = ("_stages", "ending")

    def __init__(self) -> None:
        self._stages: list[tuple[object, AnyStage]] = []
        self.ending = False
        """True once any stage has seen the end: the source need not be read any more."""

    def feed(self, data: bytes, now: float) -> list[Item]:
        """A chunk came from the source."""
        return self._flow([data], 0, now)

    def end(self, end: End, now: float) -> list[Item]:
        """The source ended."""
        self.ending = True
        return self._flow([end], 0, now)

    def tick(self, now: float) -> list[Item]:
        """Time went on; call at `wake_at`."""
        left: list[Item] = []
        for index, (_, stage) in enumerate(self._stages):
            if stage.active and stage.wake_at is not None and stage.wake_at <= now:
                out: list[Item] = []
                stage.tick(now, out)
                left += self._after(index, stage, out, now)
        return left

    def append(self, key: object, stage: AnyStage) -> None:
        """`stage` is the last from now on."""
        self._stages.append((key, stage))

    def update(self, key: object, attributes: Any, active: bool, now: float) -> list[Item]:
        """New attributes, and a new answer to whether the toxic acts on this link at all."""
        index, stage = self._find(key)
        if stage.ended:
            return []
        out: list[Item] = []
        if stage.active and not active:
            stage.release(now, out)
        stage.active = active
        if active:
            stage.update(attributes, now, out)
        else:
            stage.attributes = attributes
        return self._after(index, stage, out, now)

    def remove(self, key: object, now: float) -> list[Item]:
        """The stage is gone, and what it held goes on its way."""
        index, stage = self._find(key)
        out: list[Item] = []
        if not stage.ended:
            if stage.closes_on_removal:
                out.append(End.EOF)
            elif stage.active:
                stage.release(now, out)
        left = self._after(index, stage, out, now)
        del self._stages[index]
        if stage.ended and index:
            # The end stays where it was: what earlier stages still hold must not get past it now.
            before = self._stages[index - 1][1]
            before.ended, before.wake_at = True, None
        return left

    @property
    def wake_at(self) -> float | None:
        """When `tick` should be called next, None for never."""
        times = [stage.wake_at for _, stage in self._stages if stage.active and stage.wake_at is not None]
        return min(times) if times else None

    @property
    def full(self) -> bool:
        """True while the source should not be read."""
        return self.ending or any(stage.active and stage.full for _, stage in self._stages)

    @property
    def is_empty(self) -> bool:
        """True when there is no stage left."""
        return not self._stages

    def _find(self, key: object) -> tuple[int, AnyStage]:
        for index, (held, stage) in enumerate(self._stages):
            if held is key:
                return index, stage
        raise KeyError(key)

    def _after(self, index: int, stage: AnyStage, out: list[Item], now: float) -> list[Item]:
        """What `stage` gave goes through those behind it."""
        stage.seal(out)
        self.ending = self.ending or stage.ended
        return self._flow(out, index + 1, now)

    def _flow(self, items: list[Item], start: int, now: float) -> list[Item]:
        for index in range(start, len(self._stages)):
            if not items:
                break
            stage = self._stages[index][1]
            if stage.active:
                items = stage.take(items, now)
                self.ending = self.ending or stage.ended
            else:
                stage.skip(items)
        return items
