"""limit_data: so many bytes pass, then the connection is closed."""

from dataclasses import dataclass

from chaos.stage import End, Item, Place, Stage
from chaos.toxics import toxic


@dataclass(frozen=True, slots=True)
class LimitData:
    """Bytes for each connection and direction, counted from when the toxic met it; 0 closes on the first."""

    bytes: int = 0


@toxic("limit_data", LimitData, go_struct="LimitDataToxic")
class LimitDataStage(Stage[LimitData]):
    """What has passed stays counted over updates."""

    __slots__ = ("_passed",)

    def __init__(self, attributes: LimitData, place: Place, now: float) -> None:
        super().__init__(attributes, place, now)
        self._passed = 0

    def feed(self, data: bytes, now: float, out: list[Item]) -> None:
        left = max(self.attributes.bytes - self._passed, 0)
        if left:
            out.append(data[:left])
        self._passed += min(left, len(data))
        if len(data) >= left:
            out.append(End.EOF)
