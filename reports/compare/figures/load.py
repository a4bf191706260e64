"""Was the same load carried? Messages a second, connections, heartbeats missed."""

import numpy as np

from reports.compare.figure import Better, Figure, Measured, register
from reports.compare.run import Run
from reports.figures import count, exact, share


def _acknowledged(run: Run) -> Measured | None:
    per_second = run.seconds.acknowledged
    if not per_second.sum():
        return None
    value = float(per_second.sum() / run.seconds.count)
    return Measured(value, run.seconds.ratio_draws(per_second, np.ones(run.seconds.count)))


def _connections(run: Run) -> Measured | None:
    value = run.at("connections.peak")
    return Measured(value) if value else None


def _dropped(run: Run) -> Measured | None:
    value, peak = run.at("connections.dropped"), run.at("connections.peak")
    return Measured(value / peak) if value is not None and peak else None


def _missed(run: Run) -> Measured | None:
    missed, sent = run.at("heartbeats.missed"), run.at("heartbeats.sent")
    return Measured(missed / sent) if missed is not None and sent else None


def _percent(value: float) -> str:
    return share(value, 1.0) if value else "0 %"


def _rate(value: float) -> str:
    return f"{count(float(f'{value:.3g}'))}/s"


register(
    Figure("load.acknowledged", 50, "load", "messages acknowledged", _rate, Better.HIGHER, _acknowledged,
           floor=0.5, noise=0.03)
)  # fmt: skip
register(
    Figure("connections.peak", 51, "load", "connections at the peak", exact, Better.HIGHER, _connections,
           noise=0.002)
)  # fmt: skip
register(
    Figure("connections.dropped", 52, "load", "connections dropped, of all", _percent, Better.NEITHER,
           _dropped)
)  # fmt: skip
register(
    Figure("heartbeats.missed", 53, "load", "heartbeats missed, of those sent", _percent, Better.LOWER,
           _missed, floor=0.001, noise=0.5)
)  # fmt: skip
