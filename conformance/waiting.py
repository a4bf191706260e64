"""How busy the machine was: what processes waited for a core, as the kernel counts it."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def waited_s(pids: Iterable[int]) -> float:
    """Seconds that processes have been ready to run without a core since they began, in all; 0 where the
    kernel does not say."""
    total_ns = 0
    for pid in pids:
        with suppress(OSError, IndexError, ValueError):
            # Time on a core, time waiting for one, and how often it got one.
            total_ns += int(Path(f"/proc/{pid}/schedstat").read_text().split()[1])
    return total_ns / 1e9
