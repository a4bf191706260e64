"""How far two sides differ, and how sure that is.

Two kinds of noise count, the larger one decides. Within runs: how much a figure varies when the seconds of
each run are drawn again. Between runs: how much repeated runs of one side differ, pooled over both sides;
since that is known badly from few runs, it is mixed with what is usual for the figure, as if that had been
seen in USUAL_RUNS runs more. A change is told as such when the 99 % interval around it leaves out nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import comb, sqrt

import numpy as np

from reports.compare.figure import Better, Figure, Measured

USUAL_RUNS = 3
_T_995 = {
    3: 5.841, 4: 4.604, 5: 4.032, 6: 3.707, 7: 3.499, 8: 3.355, 9: 3.25, 10: 3.169, 12: 3.055, 15: 2.947,
    20: 2.845, 30: 2.75,
}  # fmt: skip
_NORMAL_995 = 2.576
_CERTAIN = 0.01


class Kind(StrEnum):
    """What a change is. `SHOWN`: not judged. `ABSENT`: one side has no such figure."""

    WORSE = "worse"
    BETTER = "better"
    NOISE = "within noise"
    SHOWN = "shown"
    ABSENT = "not on both sides"


@dataclass(frozen=True, slots=True)
class Change:
    """From `base` to `value`, means over the runs of a side; the difference lies between `low` and `high`."""

    figure: Figure
    base: float | None
    value: float | None
    low: float | None
    high: float | None
    kind: Kind

    @property
    def relative(self) -> float | None:
        """As a share of the base; None where that is nothing."""
        if self.base is None or self.value is None or not self.base:
            return None
        return (self.value - self.base) / self.base

    def relative_interval(self) -> tuple[float, float] | None:
        """`low` and `high` as shares of the base."""
        if self.low is None or self.high is None or not self.base:
            return None
        return self.low / self.base, self.high / self.base


def change(figure: Figure, base: Sequence[Measured | None], new: Sequence[Measured | None]) -> Change:
    """Between the runs of two sides; those that have no such figure are left out."""
    before = [one for one in base if one is not None]
    after = [one for one in new if one is not None]
    if not before or not after:
        return Change(figure, _mean(before), _mean(after), None, None, Kind.ABSENT)
    old, value = float(_mean(before) or 0.0), float(_mean(after) or 0.0)
    if figure.better is Better.NEVER:
        return Change(figure, old, value, None, None, _counted(before, after))
    half = interval(figure, before, after)
    difference = value - old
    kind = _kind(figure.better, difference, max(half, figure.floor))
    return Change(figure, old, value, difference - half, difference + half, kind)


def interval(figure: Figure, base: Sequence[Measured], new: Sequence[Measured]) -> float:
    """Half the width of the 99 % interval of the difference."""
    within = sqrt(sum(_own_variance(side) for side in (base, new)))
    sides = [[one.value for one in side] for side in (base, new)]
    known = sum(len(values) - 1 for values in sides)
    squares = sum((value - float(np.mean(values))) ** 2 for values in sides for value in values)
    usual = figure.noise * abs(float(np.mean([value for values in sides for value in values])))
    variance = (USUAL_RUNS * usual**2 + squares) / (USUAL_RUNS + known)
    between = sqrt(variance * sum(1 / len(values) for values in sides))
    return max(_NORMAL_995 * within, _t(USUAL_RUNS + known) * between)


def _own_variance(side: Sequence[Measured]) -> float:
    """Of the mean of a side, from the seconds of its runs."""
    return sum(float(np.var(one.draws)) for one in side if one.draws is not None) / len(side) ** 2


def _kind(better: Better, difference: float, half: float) -> Kind:
    if better is Better.NEITHER:
        return Kind.SHOWN
    if abs(difference) <= half:
        return Kind.NOISE
    return Kind.BETTER if (difference < 0) == (better is Better.LOWER) else Kind.WORSE


def _counted(base: Sequence[Measured], new: Sequence[Measured]) -> Kind:
    """Of what must not happen: the first is worse; more or fewer of them only if that is no chance."""
    before, after = (round(sum(one.value for one in side)) for side in (base, new))
    if before == after:
        return Kind.NOISE
    if before == 0:
        return Kind.WORSE
    if after == 0:
        return Kind.BETTER if _chance(0, before, len(new), len(base)) < _CERTAIN else Kind.NOISE
    more = after * len(base) > before * len(new)
    chance = (
        _chance(before, after, len(base), len(new)) if more else _chance(after, before, len(new), len(base))
    )
    if chance >= _CERTAIN:
        return Kind.NOISE
    return Kind.WORSE if more else Kind.BETTER


def _chance(few: int, many: int, few_runs: int, many_runs: int) -> float:
    """That of all these events as many or more fall on the side of the many, were both alike."""
    total, share = few + many, many_runs / (few_runs + many_runs)
    if total > 1000:
        from_mean = (many - total * share) / sqrt(total * share * (1 - share))
        return 0.0 if from_mean > _NORMAL_995 else 1.0
    return sum(comb(total, k) * share**k * (1 - share) ** (total - k) for k in range(many, total + 1))


def _t(freedom: int) -> float:
    """The 99.5 % quantile of Student's t, of the next smaller number of degrees of freedom tabulated."""
    return _T_995[max(known for known in _T_995 if known <= freedom)]


def _mean(side: Sequence[Measured]) -> float | None:
    return float(np.mean([one.value for one in side])) if side else None
