"""What people and machines see of a run that goes on."""

import io
import json
from typing import Any

import pytest
from rich.console import Console

from chatproof.panel import sparkline
from chatproof.progress import Progress
from chatproof.status import Pace, Status


def status(phase: str = "load", *, acked: int = 0, p99_ms: float | None = 12.0, **more: Any) -> Status:
    totals = {
        "connections": 190, "target": 200, "processes": 2,
        "messages": {"sent": acked + 2, "acked": acked, "delivered": 3 * acked, "repeated": 1},
        "beats": {"sent": 7, "answered": 6, "missed": 1},
        "deliveries": {"expected": 3 * acked + 4, "owed": 4, "overdue": 0},
        "connects": {"opened": 201, "failed": 1, "dropped": 5},
        "sends": {"planned": acked + 2, "started": acked + 2, "late": 0},
        "health": {"loop_lag_ms": 2.0, "cpu_share": 0.25, "rss_bytes": 120_000_000},
    } | more  # fmt: skip
    return Status(phase, 12.5, totals, p99_ms, ["frame_loss 3%"])


def shown(*looks: tuple[Status, float], terminal: bool, for_machines: bool = False, width: int = 100) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=width, color_system=None, _environ={})
    progress = Progress(lambda: looks[0][0], console, for_machines=for_machines)
    for look, now in looks:
        progress.show(look, now)
        if progress._live is not None:
            console.print(progress._live.get_renderable())
    return out.getvalue()


@pytest.mark.parametrize("width", [60, 100, 200])
def test_the_panel_has_everything_that_matters(width: int) -> None:
    text = shown((status(acked=100), 1.0), (status(acked=160), 2.0), terminal=True, width=width)
    last = text[text.rindex("╭") :]
    for what in (
        "load",
        "190 of 200",
        "160",
        "60/s",
        "in flight",
        "overdue",
        "p99",
        "frame_loss 3%",
        "lag",
        "25%",
    ):
        assert what in last, what
    assert max(map(len, last.splitlines())) <= width


def test_the_panel_says_that_deliveries_are_overdue_and_the_generator_busy() -> None:
    late = {"expected": 9, "owed": 7, "overdue": 3}
    busy = {"loop_lag_ms": 900.0, "cpu_share": 0.99, "rss_bytes": 1}
    text = shown((status(acked=3, deliveries=late, health=busy), 1.0), terminal=True)
    flowing = " ".join(text.replace("│", " ").split())
    assert "in flight 4 overdue 3" in flowing
    assert "latencies are its own" in flowing


def test_a_log_has_a_line_for_each_phase_and_every_few_seconds() -> None:
    looks = [(status("ramp", acked=n), float(n)) for n in range(3)]
    looks += [(status("load", acked=10 * n), 3.0 + n) for n in range(8)]
    lines = shown(*looks, terminal=False).splitlines()
    assert [line.split()[2] for line in lines] == ["ramp", "load", "load"]
    assert "10 msg/s" in lines[-1]
    assert "faults: frame_loss 3%" in lines[-1]


def test_machines_get_an_object_for_each_look() -> None:
    looks = [(status(acked=n), float(n)) for n in range(3)]
    told = [json.loads(line) for line in shown(*looks, terminal=False, for_machines=True).splitlines()]
    assert [each["messages"]["acked"] for each in told] == [0, 1, 2]
    assert (told[0]["phase"], told[0]["p99_ms"], told[0]["faults"]) == ("load", 12.0, ["frame_loss 3%"])


def test_the_pace_is_that_between_the_last_two_looks_and_never_negative() -> None:
    pace = Pace()
    for acked, now in ((100, 1.0), (160, 3.0)):
        pace.look(status(acked=acked), now)
    assert pace.acked == 30.0
    pace.look(status(acked=0), 4.0)
    assert pace.acked == 0.0


def test_a_sparkline_is_as_high_as_its_values() -> None:
    assert sparkline([0, 1, 4, 8]) == "▁▂▅█"
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([]) == ""
