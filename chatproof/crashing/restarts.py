"""How long a restart took, and how much of that is this machine's share."""

from dataclasses import dataclass


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
