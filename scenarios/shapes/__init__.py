"""Load shapes, one a file. They are Locust's own: `locust -f scenarios/chat.py,scenarios/shapes/steps.py`.

In Locust, -u is the number of cohorts at the peak, -t the length and -r the spawn rate; a run plan gives the
same numbers through `new_shape`.
"""

import importlib

from scenarios.shapes.base import PlannedShape


def new_shape(name: str, cohorts: int, ramp_s: float, duration_s: float) -> PlannedShape:
    """The shape of that name with the numbers of a plan. Raises ModuleNotFoundError for an unknown one."""
    module = importlib.import_module(f"scenarios.shapes.{name}")
    kind = next(
        found
        for found in vars(module).values()
        if isinstance(found, type) and issubclass(found, PlannedShape) and not found.abstract
    )
    shape: PlannedShape = kind()
    shape.planned = (cohorts, ramp_s, duration_s)
    return shape
