"""Limits on the figures of a summary: `latency_ms.deliver.p99 < 500`."""

import difflib
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ledger.errors import ThresholdError

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
}

_EXPRESSION = re.compile(r"\s*([\w.]+)\s*(<=|>=|==|<|>)\s*(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*")


@dataclass(frozen=True, slots=True)
class Threshold:
    """A limit on the figure at a dotted path of the summary."""

    expression: str
    path: str
    comparison: str
    limit: float

    def evaluate(self, summary: Mapping[str, Any]) -> dict[str, Any]:
        """`expression`, `ok`, `value`; a figure that the run has no value for (null) is not ok.

        Raises ThresholdError if the summary has no number at that path, naming those that are near.
        """
        figures = dict(paths(summary))
        if self.path not in figures:
            near = difflib.get_close_matches(self.path, figures, n=3, cutoff=0.4)
            hint = f"; did you mean {', '.join(near)}?" if near else ""
            raise ThresholdError(
                f"threshold {self.expression!r}: the summary has no figure {self.path}{hint}"
            )
        value = figures[self.path]
        ok = value is not None and COMPARISONS[self.comparison](value, self.limit)
        return {"expression": self.expression, "ok": ok, "value": value}


def parse(expression: str) -> Threshold:
    """Raises ThresholdError for anything but `<path> <comparison> <number>`."""
    match = _EXPRESSION.fullmatch(expression)
    if match is None:
        raise ThresholdError(
            f"threshold {expression!r} is not understood; write <figure> <comparison> <number> with one of "
            f"{' '.join(COMPARISONS)}, such as latency_ms.deliver.p99 < 500"
        )
    path, comparison, limit = match.groups()
    return Threshold(expression.strip(), path, comparison, float(limit))


def paths(summary: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float | None]]:
    """The dotted path and value of every figure in a summary; figures without a value are None."""
    for name, value in summary.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from paths(value, f"{path}.")
        elif value is None or isinstance(value, int | float):
            yield path, value
