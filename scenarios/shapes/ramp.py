"""Ramp: evenly up to the peak, then steady."""

from scenarios.shapes.base import PlannedShape


class Ramp(PlannedShape):
    """The peak is reached after the ramp."""

    abstract = False

    def level(self, at: float, ramp_s: float, duration_s: float) -> float:
        return min(1.0, (at + 1) / max(ramp_s, 1.0))
