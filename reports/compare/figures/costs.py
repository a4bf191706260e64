"""What connections, heartbeats and messages cost in memory and CPU, on either side."""

from collections.abc import Callable

import numpy as np

from reports.compare.figure import Better, Figure, Measured, register
from reports.compare.run import Run
from reports.compare.seconds import DRAWS
from reports.figures import duration, size

_SIDES = {"generator": "swarm", "server": "server"}
_MICRO = 1e6
_OWN_PAGES_BYTES, _KERNEL_PAGES_BYTES = 200e3, 8e6
_NORMAL = np.random.default_rng(1).standard_normal(DRAWS)


def _bytes(path: str, page_bytes: float) -> Callable[[Run], Measured | None]:
    """`page_bytes`: by how much memory differs from run to run however many connections there are: it is
    given and taken back in pages and arenas."""

    def measure(run: Run) -> Measured | None:
        value, connections = run.at(path), run.at("connections.peak")
        # Few connections may cost less than a process gives back meanwhile: that tells nothing.
        if value is None or value <= 0 or not connections:
            return None
        processes = run.at(f"{path.partition('.')[0]}.processes") or 1
        usual = page_bytes * processes / connections
        return Measured(value, value + usual * _NORMAL)

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
            Better.LOWER, _bytes(f"{_role}.bytes_per_connection", _OWN_PAGES_BYTES), floor=100.0, noise=0.1,
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
        Better.LOWER, _bytes("machine.kernel_bytes_per_connection", _KERNEL_PAGES_BYTES),
        floor=500.0, noise=0.15,
    )
)  # fmt: skip
