"""What an attack costs the server: memory at its highest, time on cores, and waits for one."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from conformance.waiting import waited_s

_FORGET_PEAK = "5"


@dataclass(frozen=True, slots=True)
class Costs:
    """`peak_bytes`: the most memory that the processes together had since `forget_peak`."""

    peak_bytes: int
    cpu_s: float
    waited_s: float


def forget_peak(pids: Sequence[int]) -> None:
    """The peak is what the processes have now, where the kernel lets it be set."""
    for pid in pids:
        with suppress(OSError):
            Path(f"/proc/{pid}/clear_refs").write_text(_FORGET_PEAK)


def costs(pids: Sequence[int]) -> Costs:
    """As of now. Raises psutil.NoSuchProcess when one of them has ended."""
    cpu_s = 0.0
    for pid in pids:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            raise psutil.NoSuchProcess(pid)
        times = process.cpu_times()
        cpu_s += times.user + times.system
    return Costs(sum(map(_peak_bytes, pids)), cpu_s, waited_s(pids))


def _peak_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise psutil.NoSuchProcess(pid)
