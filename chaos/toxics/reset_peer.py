"""reset_peer: at the first chunk, or at the end, the connection is reset (RST) after a while."""

from dataclasses import dataclass

from chaos.stage import End, Item, Place, Stage
from chaos.toxics import toxic


@dataclass(frozen=True, slots=True)
class ResetPeer:
    """Milliseconds from the first chunk on; 0 resets with it."""

    timeout: int = 0


@toxic("reset_peer", ResetPeer, go_struct="ResetToxic")
class ResetPeerStage(Stage[ResetPeer]):
    """What it saw is dropped, so once it waits nothing but the reset can follow, removed or not.

    The original resets only connections that began while the toxic was there, and closes others; and goes on
    resetting when toxicity spared the connection. Here every connection that it acts on is reset, no other.
    """

    __slots__ = ("_waits",)

    def __init__(self, attributes: ResetPeer, place: Place, now: float) -> None:
        super().__init__(attributes, place, now)
        self._waits = False

    def feed(self, data: bytes, now: float, out: list[Item]) -> None:
        self._begin(now, out)

    def end(self, end: End, now: float, out: list[Item]) -> None:
        self._begin(now, out)

    def tick(self, now: float, out: list[Item]) -> None:
        out.append(End.RESET)

    def release(self, now: float, out: list[Item]) -> None:
        if self._waits:
            out.append(End.RESET)

    @property
    def full(self) -> bool:
        return self._waits

    def _begin(self, now: float, out: list[Item]) -> None:
        if self._waits:
            return
        self._waits = True
        if self.attributes.timeout > 0:
            self.wake_at = now + self.attributes.timeout / 1000
        else:
            out.append(End.RESET)
