"""The Universal Scalability Law (Gunther): throughput at load N is γN / (1 + α(N − 1) + βN(N − 1)).

α is what waits for each other, β what has to agree with each other. N / throughput is linear in 1/γ, α/γ and
β/γ, none of which can be negative, so the best fit is found exactly, without a starting point to guess.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

FEWEST_POINTS = 5
"""Three parameters, and two points more to see how well they do."""

FURTHEST = 3.0
"""A knee further away than so many times the largest load is no finding but an extrapolation."""

_RESAMPLES, _SEED = 1_000, 1
_INTERVAL = (2.5, 97.5)

Array = np.ndarray[Any, np.dtype[np.float64]]
Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Parameters:
    """γ: throughput of one at the beginning, per unit of load."""

    gamma: float
    alpha: float
    beta: float

    def throughput(self, load: Array) -> Array:
        found: Array = self.gamma * load / (1 + self.alpha * (load - 1) + self.beta * load * (load - 1))
        return found

    @property
    def knee(self) -> float:
        """The load with the most throughput; infinite if more always brings more."""
        return float(np.sqrt((1 - self.alpha) / self.beta)) if self.beta > 0 and self.alpha < 1 else np.inf


@dataclass(frozen=True, slots=True)
class Fit:
    """`knee`: None if it is further away than FURTHEST times the largest load; `knee_at_least` is then the
    load up to which there is none. Intervals hold 95 of 100 resamples; an end beyond is None. `headroom`: of
    the most throughput (at the knee, or at `knee_at_least`) what the largest load leaves. `band`: lowest and
    highest throughput of the resamples at `loads`. `error`: the largest relative miss of a point."""

    parameters: Parameters
    knee: float | None
    knee_interval: tuple[float | None, float | None]
    knee_at_least: float
    most: float
    headroom: float
    headroom_interval: Range
    error: float
    loads: Array
    curve: Array
    band: tuple[Array, Array]


def fit(loads: Sequence[float], throughputs: Sequence[float]) -> Fit | None:
    """None for fewer than FEWEST_POINTS different loads, or throughputs of nothing."""
    n, x = np.array(loads, float), np.array(throughputs, float)
    if len(set(loads)) < FEWEST_POINTS or (x <= 0).any() or (n < 1).any():
        return None
    best = solve(n, x)
    residuals = x / best.throughput(n) - 1
    samples = _resampled(n, best, residuals)
    far = FURTHEST * float(n.max())
    grid = np.linspace(0, min(far, 1.3 * min(best.knee, far)) if best.knee < far else 1.3 * n.max(), 120)
    grid = np.unique(np.append(grid[grid >= 1], n))
    curves = np.array([one.throughput(grid) for one in samples])
    knees = np.percentile([min(one.knee, far) for one in samples], _INTERVAL)
    rooms = np.percentile([_headroom(one, float(n.max()), far) for one in samples], _INTERVAL)
    low, high = np.percentile(curves, _INTERVAL, axis=0)
    return Fit(
        parameters=best,
        knee=best.knee if best.knee < far else None,
        knee_interval=(_near(knees[0], far), _near(knees[1], far)),
        knee_at_least=far,
        most=_most(best, far),
        headroom=_headroom(best, float(n.max()), far),
        headroom_interval=(float(rooms[0]), float(rooms[1])),
        error=float(np.abs(residuals).max()),
        loads=grid,
        curve=best.throughput(grid),
        band=(low, high),
    )


def solve(loads: Array, throughputs: Array) -> Parameters:
    """The parameters with the smallest relative errors, least squares, none of them negative."""
    wanted = loads / throughputs
    terms = np.stack([np.ones_like(loads), loads - 1, loads * (loads - 1)], axis=1)
    weights = 1 / wanted
    best, least = np.array([wanted.mean(), 0.0, 0.0]), np.inf
    # Which of α and β are nothing is not known beforehand: four cases, and the best that is allowed.
    for more in (chosen for size in range(3) for chosen in combinations((1, 2), size)):
        columns = [0, *more]
        found, *_ = np.linalg.lstsq(terms[:, columns] * weights[:, None], wanted * weights, rcond=None)
        miss = float((((terms[:, columns] @ found - wanted) * weights) ** 2).sum())
        if (found >= 0).all() and found[0] > 0 and miss < least:
            least, best = miss, np.zeros(3)
            best[columns] = found
    return Parameters(float(1 / best[0]), float(best[1] / best[0]), float(best[2] / best[0]))


def _resampled(loads: Array, best: Parameters, residuals: Array) -> list[Parameters]:
    """Fits of the curve with errors drawn from its own, made as large as three parameters made them small."""
    dice = np.random.default_rng(_SEED)
    spread = residuals * np.sqrt(len(loads) / (len(loads) - 3))
    curve = best.throughput(loads)
    drawn = dice.choice(spread, (_RESAMPLES, len(loads)))
    return [solve(loads, curve * np.maximum(1 + errors, 0.01)) for errors in drawn]


def _most(parameters: Parameters, far: float) -> float:
    return float(parameters.throughput(np.array([min(parameters.knee, far)]))[0])


def _headroom(parameters: Parameters, load: float, far: float) -> float:
    now = float(parameters.throughput(np.array([load]))[0])
    return 0.0 if load >= parameters.knee else max(0.0, 1 - now / _most(parameters, far))


def _near(value: float, far: float) -> float | None:
    return float(value) if value < far else None
