"""A sweep as it could have been: five steps on two cores, the last of which misses a threshold."""

from pathlib import Path

import msgspec

from reports.capacity.observed import Observed, Side
from reports.capacity.page import build_sweep
from reports.capacity.sweep import SWEEP, Done, Sweep

_FRAMES_A_SECOND = {1_000: 2_900.0, 2_000: 5_650.0, 4_000: 10_400.0, 8_000: 16_300.0, 16_000: 18_100.0}
_TOO_MANY = 16_000


def write(folder: Path) -> Path:
    """`folder`, made, with the sweep and its page in it."""
    folder.mkdir()
    steps = [_step(n, frames, 99 if n == _TOO_MANY else 0) for n, frames in _FRAMES_A_SECOND.items()]
    sweep = Sweep("chatproof sweep plan.toml", "plan.toml", steps, 6, "a threshold was missed: x < 1")
    (folder / SWEEP).write_bytes(msgspec.json.encode(sweep))
    build_sweep(folder)
    return folder


def _step(n: int, frames: float, code: int) -> Done:
    observed = Observed(
        connections=n, load_s=10.0, heartbeat_s=60.0, heartbeats_a_second=frames / 4,
        messages_a_second=frames / 8, deliveries_a_second=frames / 8, frames_a_second=frames,
        server=Side(frames / 60_000, 50_000_000 + 900 * n, 900), swarm=Side(frames / 50_000, 60_000_000, 700),
        kernel_bytes_an_end=None, wire_heartbeat_bytes=None, wire_message_bytes=None,
        machine_cores=2, machine_memory_bytes=16_000_000_000, overloaded=False,
    )  # fmt: skip
    missed = ["latency_ms.deliver.p99 < 50"] if code == 99 else []
    return Done(f"{n:05d}", n, n / 10, code, "pass", False, missed, [], 2.0 + n / 100, 1.5, observed)
