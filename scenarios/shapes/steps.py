"""Steps: five plateaus, each a fifth of the peak higher and as long as the others."""

from scenarios.shapes.base import PlannedShape

STEPS = 5


class Steps(PlannedShape):
    """Where figures bend between two plateaus is the knee."""

    abstract = False

    def level(self, at: float, ramp_s: float, duration_s: float) -> float:
        return (int(at / duration_s * STEPS) + 1) / STEPS
