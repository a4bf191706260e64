"""How long a restart took, and how much of that is this machine's share."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Restart:
    """`took_s`: from the kill until it listens again; `waited_s` of that its processes were ready to run, but
    others had the cores."""

    took_s: float
    waited_s: float

    @property
    def own_s(self) -> float:
        return self.took_s - self.waited_s

    def __str__(self) -> str:
        return f"{self.took_s:.2f} s, {self.waited_s:.2f} s of them waiting for a core"


def waited_s(pids: Iterable[int]) -> float:
    """What processes have waited for a core since they began, in all; 0 where the kernel does not say."""
    total_ns = 0
    for pid in pids:
        with suppress(OSError, IndexError, ValueError):
            # Time on a core, time waiting for one, and how often.
            total_ns += int(Path(f"/proc/{pid}/schedstat").read_text().split()[1])
    return total_ns / 1e9
