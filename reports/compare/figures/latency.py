"""How long deliveries, acknowledgements, heartbeats, logins and reconnections took.

Latencies of an overloaded generator are its own, and left out.
"""

from collections.abc import Callable

import numpy as np

from reports.compare.figure import Better, Figure, Measured, register
from reports.compare.run import Run
from reports.figures import duration

_QUANTILES = {"p50": (0.5, 0.12), "p90": (0.9, 0.15), "p99": (0.99, 0.2), "p999": (0.999, 0.3)}
"""By name: the quantile, and how much it differs between two runs."""
_LEAST_BEYOND = 5
"""As many values must lie beyond a quantile for it to be told."""
_FLOOR_MS = 1.0
_AT_ONCE = {"heartbeat": 2.5, "login": 2.5, "reconnect": 2.5}
"""How much more differs what many do at once: one stall reaches all of them."""
_KINDS: dict[str, tuple[str, Callable[[Run], np.ndarray], tuple[str, ...]]] = {
    "deliver": ("delivery", lambda run: run.seconds.deliveries, ("p50", "p90", "p99", "p999")),
    "ack": ("acknowledgement", lambda run: run.seconds.acknowledgements, ("p50", "p99")),
    "heartbeat": ("heartbeat", lambda run: run.seconds.heard("heartbeat"), ("p50", "p99")),
    "login": ("login", lambda run: run.seconds.heard("login"), ("p50", "p99")),
    "reconnect": ("reconnection", lambda run: run.seconds.heard("reconnect"), ("p50", "p99")),
}


def _measure(kind: str, name: str, table: Callable[[Run], np.ndarray]) -> Callable[[Run], Measured | None]:
    quantile = _QUANTILES[name][0]

    def measure(run: Run) -> Measured | None:
        value, count = run.at(f"latency_ms.{kind}.{name}"), run.at(f"latency_ms.{kind}.count") or 0
        if not run.is_valid or value is None or count * (1 - quantile) < _LEAST_BEYOND:
            return None
        return Measured.near(value, run.seconds.quantile_draws(table(run), quantile))

    return measure


for _place, (_kind, (_title, _table, _names)) in enumerate(_KINDS.items()):
    for _nth, _name in enumerate(_names):
        register(
            Figure(
                name=f"latency_ms.{_kind}.{_name}",
                order=100 + 10 * _place + _nth,
                group="latency",
                title=f"{_title} {_name.replace('p999', 'p99.9')}",
                say=duration,
                better=Better.LOWER,
                measure=_measure(_kind, _name, _table),
                floor=_FLOOR_MS,
                noise=_QUANTILES[_name][1] * _AT_ONCE.get(_kind, 1.0),
            )
        )
