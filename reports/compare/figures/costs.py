"""What connections, heartbeats and messages cost in memory and CPU, on either side."""

from collections.abc import Callable

import numpy as np

from reports.compare.figure import Better, Figure, Measured, register
from reports.compare.run import Run
from reports.figures import duration, size

_SIDES = {"generator": "swarm", "server": "server"}
_MICRO = 1e6


def _bytes(path: str) -> Callable[[Run], Measured | None]:
    def measure(run: Run) -> Measured | None:
        value = run.at(path)
        # Few connections may cost less than a process gives back meanwhile: that tells nothing.
        return Measured(value) if value is not None and value > 0 else None

    return measure


def _cpu(role: str, per: Callable[[Run], np.ndarray]) -> Callable[[Run], Measured | None]:
    def measure(run: Run) -> Measured | None:
        cpu_us, under = run.seconds.growth(role, "cpu_s") * _MICRO, per(run)
        if not cpu_us.sum() or not under.sum():
            return None
        return Measured(float(cpu_us.sum() / under.sum()), run.seconds.ratio_draws(cpu_us, under))

    return measure


def _connections(run: Run) -> np.ndarray:
    return run.seconds.level("generator", "connections")


def _beats(run: Run) -> np.ndarray:
    """None where messages were sent: their CPU cannot be told from that of heartbeats."""
    beats = run.seconds.growth("generator", "beats_answered")
    return beats if not run.seconds.acknowledged.sum() else np.zeros_like(beats)


def _messages(run: Run) -> np.ndarray:
    return run.seconds.acknowledged


def _microseconds(value: float) -> str:
    return duration(value / 1000)


for _place, (_role, _side) in enumerate(_SIDES.items()):
    register(
        Figure(
            f"{_role}.bytes_per_connection", 200 + _place, "memory", f"memory a connection, {_side}", size,
            Better.LOWER, _bytes(f"{_role}.bytes_per_connection"), floor=100.0, noise=0.1,
        )
    )  # fmt: skip
    for _nth, (_name, _title, _per) in enumerate(
        (
            ("connection_s", "CPU a connection and second", _connections),
            ("heartbeat", "CPU a heartbeat", _beats),
            ("message", "CPU a message", _messages),
        )
    ):
        register(
            Figure(
                f"{_role}.cpu_us_per_{_name}", 220 + 2 * _nth + _place, "CPU", f"{_title}, {_side}",
                _microseconds, Better.LOWER, _cpu(_role, _per), floor=0.5, noise=0.08,
            )
        )  # fmt: skip
register(
    Figure(
        "machine.kernel_bytes_per_connection", 210, "memory", "kernel memory a connection, both ends", size,
        Better.LOWER, _bytes("machine.kernel_bytes_per_connection"), floor=500.0, noise=0.15,
    )
)  # fmt: skip
