"""Spike: a fifth of the peak, all of it in the middle third, and a fifth again."""

from scenarios.shapes.base import PlannedShape

BASE = 0.2


class Spike(PlannedShape):
    """What a server does with five times its usual crowd, and whether it recovers."""

    abstract = False

    def level(self, at: float, ramp_s: float, duration_s: float) -> float:
        return 1.0 if duration_s / 3 <= at < duration_s * 2 / 3 else BASE
