"""What a run of the benchmarks leaves: bench.json for programs, bench.png for people."""

import json
import os
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.row import Row
from scenarios.machine import describe

BUSY = 0.25
"""Load average a core, before anything was started, from which on figures are not worth quoting."""


@dataclass(slots=True)
class Measurement:
    """`rows` and seconds taken by benchmark."""

    conditions: dict[str, Any]
    options: dict[str, int]
    rows: dict[str, list[Row]] = field(default_factory=dict)
    took_s: dict[str, float] = field(default_factory=dict)

    def headline(self) -> str:
        """Under which conditions it was measured, in a line."""
        machine, options = self.conditions, self.options
        said = (
            f"{options['connections']:,} connections, a heartbeat every {options['heartbeat']} s, "
            f"windows of {options['window']} s; {machine['cores']} cores ({machine['processor']}), "
            f"Python {machine['python']}, {machine['date']}"
        )
        return f"{said}; the machine was BUSY: load {machine['load']:.1f}" if self.is_busy else said

    @property
    def is_busy(self) -> bool:
        """Whether others were at work as it began."""
        return bool(self.conditions["load"] > BUSY * self.conditions["cores"])


def conditions() -> dict[str, Any]:
    """The machine, and what else it was doing."""
    return {
        **describe(),
        "processor": _processor(),
        "load": os.getloadavg()[0],
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "command": " ".join(["python -m bench", *sys.argv[1:]]),
    }


def save(measurement: Measurement, folder: Path) -> int:
    """bench.json and bench.png are in `folder`: the exit code, 3 when it cannot be written."""
    from bench.chart import draw

    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "bench.json").write_text(json.dumps(asdict(measurement), indent=2) + "\n", encoding="utf-8")
        draw(measurement, folder / "bench.png")
    except OSError as error:
        print(f"cannot write to {folder}: {error.strerror}; choose another --results", file=sys.stderr)
        return 3
    print(f"\n{folder / 'bench.json'} {folder / 'bench.png'}")
    return 0


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )
