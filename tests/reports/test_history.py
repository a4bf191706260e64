"""A series of runs: where the level changed, and where it only looks like it."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from chatproof.commands.history import command
from reports.errors import ReportError
from reports.history.build import followed
from reports.history.series import series_below
from reports.history.trend import LEAST, change_points


def noisy(*levels: tuple[float, int], seed: int = 1) -> list[float]:
    dice = np.random.default_rng(seed)
    return [level * (1 + 0.02 * dice.standard_normal()) for level, runs in levels for _ in range(runs)]


def write(folder: Path, p99_ms: list[float], *, plan: str = "smoke", lost: int = 0) -> None:
    for nth, value in enumerate(p99_ms):
        run = folder / f"{plan}-{nth:03}"
        run.mkdir(parents=True)
        summary = {
            "schema": 1, "verdict": "pass", "scenario": "chat", "checks": {"completeness": {"lost": lost}},
            "latency_ms": {"deliver": {"p50": 1.0, "p99": value}},
            "connections": {"target": 200, "peak": 200},
        }  # fmt: skip
        around = {"target": "embedded", "plan": plan, "started": f"2026-01-{nth + 1:02}T00:00:00+0000"}
        (run / "summary.json").write_text(json.dumps(summary))
        (run / "environment.json").write_text(json.dumps(around))


def test_a_step_is_found_where_it_is() -> None:
    assert change_points(noisy((10, 8), (14, 8))) == [8]


def test_a_step_of_few_runs_is_found_where_it_is_far() -> None:
    assert change_points([6.5, 6.2, 6.6, 6.3, 100.0, 105.0, 103.0, 99.0]) == [4]
    assert change_points([6.5, 6.2, 6.6, 7.3, 7.0, 7.2]) == []


def test_several_steps_are_found() -> None:
    assert change_points(noisy((10, 9), (20, 9), (12, 9))) == [9, 18]


def test_noise_is_no_step() -> None:
    found = [change_points(noisy((10, 20), seed=seed)) for seed in range(30)]
    assert sum(map(bool, found)) <= 2


def test_one_bad_run_is_no_step() -> None:
    values = noisy((10, 16))
    values[7] = 500.0
    assert change_points(values) == []


def test_a_small_step_is_not_worth_telling() -> None:
    assert change_points([10.0] * 10 + [10.3] * 10) == []


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 1e9), max_size=24))
def test_parts_are_never_shorter_than_they_may_be(values: list[float]) -> None:
    edges = [0, *change_points(values), len(values)]
    assert all(end - begin >= LEAST for begin, end in pairwise(edges) if len(edges) > 2)


def test_runs_are_sorted_into_series_by_what_they_were(tmp_path: Path) -> None:
    write(tmp_path, noisy((10, 4)), plan="smoke")
    write(tmp_path, noisy((10, 2)), plan="soak")
    found, left_out = series_below(tmp_path)
    assert [(len(series.runs), series.title.split(" ")[0]) for series in found] == [(4, "smoke"), (2, "soak")]
    assert [run.name for run in found[0].runs] == [f"smoke-{nth:03}" for nth in range(4)]
    assert left_out == []


def test_what_cannot_be_read_is_left_out_and_said(tmp_path: Path) -> None:
    write(tmp_path, [1.0, 2.0])
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "summary.json").write_text("{")
    _, left_out = series_below(tmp_path)
    assert len(left_out) == 1
    assert left_out[0].startswith("torn: ")


def test_a_rise_of_a_latency_is_worse_and_a_fall_is_better(tmp_path: Path) -> None:
    write(tmp_path / "up", noisy((10, 6), (20, 6)))
    write(tmp_path / "down", noisy((20, 6), (10, 6)))
    better = {}
    for name in ("up", "down"):
        (one,) = followed(series_below(tmp_path / name)[0])
        ((trend, step),) = one.steps
        assert (trend.key.path, step.at) == ("latency_ms.deliver.p99", 6)
        better[name] = step.better
    assert better == {"up": False, "down": True}


def test_a_last_run_far_from_its_level_is_unusual(tmp_path: Path) -> None:
    write(tmp_path, [*noisy((10, 8)), 15.0])
    (one,) = followed(series_below(tmp_path)[0])
    assert [trend.key.path for trend in one.trends if trend.unusual] == ["latency_ms.deliver.p99"]


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir()])
def test_a_folder_without_runs_is_wrong_use(tmp_path: Path, make: Any) -> None:
    make(tmp_path / "none")
    with pytest.raises(ReportError, match=r"no folder|no run that was judged"):
        series_below(tmp_path / "none")


def test_the_command_writes_a_page_and_says_what_changed(tmp_path: Path) -> None:
    write(tmp_path, noisy((10, 6), (20, 6)))
    result = CliRunner().invoke(command, [str(tmp_path)])
    assert result.exit_code == 0
    (step,) = [line for line in result.output.splitlines() if "WORSE" in line]
    assert "delivery p99" in step
    assert step.endswith("since smoke-006")
    html = (tmp_path / "history.html").read_text()
    assert html.count("<svg") >= 2
    assert "since smoke-006" in html
    told = json.loads(CliRunner().invoke(command, [str(tmp_path), "--json"]).stdout)
    assert [step["at"] for step in told[0]["figures"]["latency_ms.deliver.p99"]["steps"]] == [6]
