"""A ladder is read from the command line, climbed until something gives, and says what it was."""

import io
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from chatproof.commands import report
from chatproof.errors import WrongUse
from chatproof.sweeping.climb import Climb, done_of, exit_code, why_ended
from chatproof.sweeping.steps import Step, ladder, parse_loads
from reports.capacity.sweep import Done, Sweep


def test_loads_may_be_thousands_and_millions() -> None:
    assert parse_loads("500, 1k,2.5k,1M", "--connections") == [500, 1_000, 2_500, 1_000_000]


def test_the_rate_of_the_plan_grows_with_the_connections() -> None:
    assert ladder("100,400", None, 200, 50.0) == [Step(100, 25.0), Step(400, 100.0)]


def test_lists_go_side_by_side_and_one_number_stays() -> None:
    assert ladder("100,200", "5,7", 1, 1.0) == [Step(100, 5.0), Step(200, 7.0)]
    assert ladder(None, "5,7", 300, 1.0) == [Step(300, 5.0), Step(300, 7.0)]
    assert ladder("200,100", "5", 1, 1.0) == [Step(100, 5.0), Step(200, 5.0)]


@pytest.mark.parametrize(
    ("connections", "rates", "said"),
    [
        (None, None, "needs --connections"),
        ("1k,x", None, "write numbers"),
        ("1k,2k", "5,6,7", "2 steps and --rate 3"),
        ("1k,1k", None, "two of these are the same"),
        ("0,1k", None, "at least one"),
    ],
)
def test_a_ladder_that_means_nothing_is_refused_in_one_line(
    connections: str | None, rates: str | None, said: str
) -> None:
    with pytest.raises(WrongUse, match=said):
        ladder(connections, rates, 100, 10.0)


def done(code: int, **more: Any) -> Done:
    return Done("01", 1_000, 50.0, code, **more)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (done(0), ""),
        (done(1), "a check failed"),
        (done(99, missed=["a < 1"]), "a threshold was missed: a < 1"),
        (done(0, overloaded=True), "the swarm itself was the limit"),
        (done(99, overloaded=True), "the swarm itself was the limit"),
        (done(3), "exit code 3"),
        (done(130), "interrupted"),
    ],
)
def test_a_ladder_ends_where_something_gives(step: Done, said: str) -> None:
    why = why_ended(step, last=False)
    assert said in why
    assert bool(why) == bool(said)


def test_a_ladder_that_held_says_that_the_limit_is_further_up() -> None:
    assert "further up" in why_ended(done(0), last=True)


@pytest.mark.parametrize(
    ("codes", "meant"), [([0, 0], 0), ([0, 99], 0), ([99], 99), ([1], 1), ([0, 130], 130), ([], 1)]
)
def test_finding_the_limit_is_no_failure(codes: list[int], meant: int) -> None:
    assert exit_code(Sweep("", "", [done(code) for code in codes], 2, "")) == meant


def test_a_step_is_told_from_its_summary(tmp_path: Path) -> None:
    summary = {
        "verdict": "pass",
        "latency_valid": False,
        "checks": {"ordering": {"verdict": "fail"}, "unread": {"verdict": "pass"}},
        "thresholds": [{"expression": "a < 1", "ok": False}, {"expression": "b < 1", "ok": True}],
        "latency_ms": {"deliver": {"p99": 12.5}, "heartbeat": {"p99": None}},
    }
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    step = done_of(tmp_path, Step(10, 1.0), 1)
    assert (step.overloaded, step.missed, step.failed) == (True, ["a < 1"], ["ordering"])
    assert step.deliver_p99_ms == 12.5
    assert not step.held


def test_a_run_that_cannot_begin_ends_the_ladder_with_its_exit_code(tmp_path: Path) -> None:
    with (tmp_path / "output").open("w+b") as output, io.TextIOWrapper(output) as text:
        sweep = Climb("smoke", ["--duration", "0s"], tmp_path, "", text).all([Step(10, 1.0), Step(20, 2.0)])
    assert [step.exit_code for step in sweep.steps] == [2]
    assert "exit code 2" in sweep.ended
    assert exit_code(sweep) == 2
    assert json.loads((tmp_path / "sweep.json").read_text())["ended"] == sweep.ended


def test_the_page_of_a_sweep_is_made_again_by_report(tmp_path: Path) -> None:
    (tmp_path / "sweep.json").write_bytes(
        msgspec.json.encode(Sweep("chatproof sweep", "plan", [done(3)], 2, "so"))
    )
    told = CliRunner().invoke(report.command, [str(tmp_path)])
    assert told.exit_code == 0
    assert told.output.strip() == str(tmp_path / "sweep.html")
    html = (tmp_path / "sweep.html").read_text()
    assert "Nothing held" in html
    assert "No step left anything to calculate with." in html
