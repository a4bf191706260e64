"""What has happened, as the side that is not measured saw it."""

import json
import os
from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Counts:
    """`up`: connections that are open and, where one is expected, greeted. `first_s`, `last_s`: monotonic
    times of the first connection and of the latest that came up. `beats`: heartbeats answered. `dropped`:
    connections that ended. `pid`: of the process that counts."""

    pid: int
    up: int = 0
    beats: int = 0
    dropped: int = 0
    first_s: float = 0.0
    last_s: float = 0.0

    def came_up(self, now: float) -> None:
        """One more connection can beat."""
        self.up += 1
        self.last_s = now

    def tell(self) -> None:
        """A line of JSON on standard output."""
        os.write(1, json.dumps(asdict(self)).encode() + b"\n")
