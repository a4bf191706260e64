"""Soak: a slow ramp over a tenth of the time, then steady for long: leaks and drifts show here."""

from scenarios.shapes.base import PlannedShape


class Soak(PlannedShape):
    """Slower than the plan's ramp if that is quicker than a tenth of the run."""

    abstract = False

    def level(self, at: float, ramp_s: float, duration_s: float) -> float:
        return min(1.0, (at + 1) / max(ramp_s, duration_s / 10))
