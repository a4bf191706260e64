"""A sweep as it lies in its folder (sweep.json), and what its steps say together."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from reports.capacity.costs import Costs, of_sweep
from reports.capacity.observed import Observed
from reports.capacity.usl import FEWEST_POINTS, Fit, fit
from reports.errors import ReportError
from reports.figures import exact, rate
from reports.telling import Say, Telling

SWEEP = "sweep.json"
MOST_ERROR = 0.25
"""Points further from the best curve than this do not follow the law, whatever its parameters are."""


class Done(msgspec.Struct):
    """A step: its run folder, its load, how the run ended. `missed`: thresholds, `failed`: checks; times in
    ms; `observed`: None if the run left no summary."""

    folder: str
    connections: int
    rate: float
    exit_code: int
    verdict: str = ""
    overloaded: bool = False
    missed: list[str] = []
    failed: list[str] = []
    deliver_p99_ms: float | None = None
    heartbeat_p99_ms: float | None = None
    observed: Observed | None = None

    @property
    def held(self) -> bool:
        """Every check and threshold, with a swarm that kept up."""
        return self.exit_code == 0 and not self.overloaded


class Sweep(msgspec.Struct):
    """`planned`: how many steps there were to be; `ended`: why it ended, in words; `figures`: what sweep.html
    tells beyond the steps."""

    command: str
    plan: str
    steps: list[Done]
    planned: int
    ended: str
    schema: int = 1
    figures: dict[str, Any] = {}


def load(folder: Path) -> Sweep:
    """Raises ReportError."""
    path = folder / SWEEP
    try:
        return msgspec.json.decode(path.read_bytes(), type=Sweep)
    except OSError as error:
        raise ReportError(f"cannot read {path}: {error.strerror}; is {folder} of a sweep?") from error
    except msgspec.DecodeError as error:
        raise ReportError(f"{path} makes no sense: {error}") from error


@dataclass(frozen=True)
class Findings:
    """Everything that a page tells of a sweep."""

    sweep: Sweep

    @cached_property
    def seen(self) -> list[tuple[Done, Observed]]:
        """Steps that left something to look at."""
        return [(step, step.observed) for step in self.sweep.steps if step.observed is not None]

    @cached_property
    def by_connections(self) -> bool:
        """Whether connections are what grew; else the rate of messages did."""
        return len({step.connections for step in self.sweep.steps}) > 1 or len(self.sweep.steps) < 2

    @property
    def load_words(self) -> str:
        return "connections" if self.by_connections else "messages a second"

    @property
    def say_load(self) -> Say:
        return exact if self.by_connections else rate

    def load_of(self, step: Done) -> float:
        """What grew, of this step."""
        return float(step.connections) if self.by_connections else step.rate

    @cached_property
    def points(self) -> list[tuple[float, float]]:
        """Load and frames a second of the steps in which it was not the swarm that was measured."""
        return [(self.load_of(step), seen.frames_a_second) for step, seen in self.seen if not step.overloaded]

    @cached_property
    def fitted(self) -> Fit | None:
        """The law, where there are points enough; see `withheld` for whether to believe it."""
        return fit([load for load, _ in self.points], [frames for _, frames in self.points])

    def withheld(self, tell: Telling) -> str:
        """Why the law, its knee and its head-room are not told; "" if they are."""
        different = len({load for load, _ in self.points})
        if different < FEWEST_POINTS:
            left = len(self.seen) - len(self.points)
            without = f" ({tell('overloaded', exact, left)} more measured the swarm)" if left else ""
            return (
                f"withheld: {tell.plural('points', different, 'point')}{without}, and three parameters need "
                f"at least {tell('fewest', exact, FEWEST_POINTS)}"
            )
        if self.fitted is None:
            return "withheld: a step carried nothing"
        if self.fitted.error > MOST_ERROR:
            return (
                f"withheld: the points do not follow it, one is {tell.share('miss', self.fitted.error, 1)} "
                "off the best curve"
            )
        return ""

    @cached_property
    def largest_held(self) -> Done | None:
        return max((step for step in self.sweep.steps if step.held), key=self.load_of, default=None)

    @cached_property
    def costs(self) -> Costs | None:
        """Of the steps in which the swarm kept up, or of the others if there are none."""
        fair = [seen for step, seen in self.seen if not step.overloaded]
        return of_sweep(fair or [seen for _, seen in self.seen]) if self.seen else None
