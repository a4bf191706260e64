"""What changed between runs: noise is no change, a change is one, and what must not happen always is."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from chatproof.commands.compare import command
from reports.compare import figure as figures
from reports.compare.charts.changes import changes
from reports.compare.comparison import Comparison, as_json, compared, signed
from reports.compare.figure import Better, Figure, Measured
from reports.compare.noise import Kind, change
from reports.compare.run import Side, dialect_of, sides_of
from reports.compare.seconds import Seconds


@pytest.fixture(scope="module")
def runs(synthetic: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Good runs a1 to a3 and b1, one of a broken server, one with all deliveries 20 ms later than in a1."""
    folder = tmp_path_factory.mktemp("compared")
    sizes = {
        name: synthetic.Size(40, 20, 20, seed, broken=False)
        for seed, name in enumerate(("a1", "a2", "a3", "b1"))
    }
    sizes["broken"] = synthetic.Size(40, 20, 20, 9, broken=True)
    return {name: synthetic.write(folder / name, size) for name, size in sizes.items()}


@pytest.fixture
def sides(runs: dict[str, Path], request: pytest.FixtureRequest) -> Iterator[list[Side]]:
    with sides_of([[runs[name] for name in group] for group in request.param]) as sides:
        yield sides


def told(better: Better = Better.LOWER, **more: Any) -> Figure:
    return Figure("x", 1, "test", "x", str, better, lambda run: None, **more)


def alone(*values: float) -> list[Measured | None]:
    return [Measured(value) for value in values]


@pytest.mark.parametrize(
    ("base", "new", "kind"),
    [
        ([100.0], [105.0], Kind.NOISE),
        ([100.0], [300.0], Kind.WORSE),
        ([300.0], [100.0], Kind.BETTER),
        ([100, 101, 99], [112, 111, 113], Kind.NOISE),
        ([100, 101, 99, 100, 101, 99], [122, 121, 123, 122, 121, 123], Kind.WORSE),
        ([100, 160, 60, 100, 160, 60], [122, 60, 180, 122, 60, 180], Kind.NOISE),
    ],
)
def test_repeated_runs_make_smaller_changes_visible(base: list[float], new: list[float], kind: Kind) -> None:
    assert change(told(noise=0.1), alone(*base), alone(*new)).kind is kind


def test_what_the_seconds_of_a_run_leave_open_is_noise_too() -> None:
    spread = np.linspace(50.0, 250.0, 100)
    wide = change(told(noise=0.01), [Measured(150.0, spread)], [Measured(200.0, spread + 50)])
    narrow = change(told(noise=0.01), [Measured(150.0)], [Measured(200.0)])
    assert (wide.kind, narrow.kind) == (Kind.NOISE, Kind.WORSE)


def test_which_way_is_worse_is_the_figures_to_say() -> None:
    assert change(told(Better.HIGHER, noise=0.01), alone(100), alone(50)).kind is Kind.WORSE
    assert change(told(Better.NEITHER, noise=0.01), alone(100), alone(50)).kind is Kind.SHOWN
    assert change(told(noise=0.01, floor=60), alone(100), alone(150)).kind is Kind.NOISE


@pytest.mark.parametrize(
    ("base", "new", "kind"),
    [
        ([0], [0], Kind.NOISE),
        ([0], [1], Kind.WORSE),
        ([0, 0, 0], [0, 1], Kind.WORSE),
        ([1], [0], Kind.NOISE),
        ([20], [0], Kind.BETTER),
        ([5], [6], Kind.NOISE),
        ([5], [50], Kind.WORSE),
        ([2000], [5000], Kind.WORSE),
        ([2000], [2010], Kind.NOISE),
    ],
)
def test_the_first_of_what_must_not_happen_is_worse(base: list[float], new: list[float], kind: Kind) -> None:
    assert change(told(Better.NEVER), alone(*base), alone(*new)).kind is kind


def test_a_side_without_the_figure_is_not_compared() -> None:
    one = change(told(), alone(3.0), [None])
    assert (one.kind, one.base, one.value, one.relative) == (Kind.ABSENT, 3.0, None, None)


@pytest.mark.parametrize("sides", [(["a1"], ["a1"])], indirect=True)
def test_a_run_does_not_differ_from_itself(sides: list[Side]) -> None:
    comparison = compared(sides)
    assert comparison.exit_code == 0
    assert {one.relative for row in comparison.rows for one in row.changes} <= {0.0, None}
    assert comparison.setup == []
    assert comparison.headline[0] == "Alike"


@pytest.mark.parametrize("sides", [(["a1", "a2"], ["a3", "b1"])], indirect=True)
def test_repeated_runs_of_one_server_are_alike(sides: list[Side]) -> None:
    comparison = compared(sides)
    assert (comparison.exit_code, comparison.of(Kind.WORSE)) == (0, [])


@pytest.mark.parametrize("sides", [(["a1", "a2"], ["broken"])], indirect=True)
def test_a_broken_server_is_a_regression(sides: list[Side]) -> None:
    comparison = compared(sides)
    assert comparison.exit_code == 1
    assert "completeness" in {verdict.name for verdict in comparison.failed}
    worse = {one.figure.name for one in comparison.of(Kind.WORSE)}
    assert "checks.completeness.lost" in worse
    assert json.loads(json.dumps(as_json(comparison)))["checks"]["completeness"]["worse"]


@pytest.mark.parametrize("sides", [(["a1"], ["a2"])], indirect=True)
def test_every_draw_has_as_many_seconds_of_every_fault_as_the_run(sides: list[Side]) -> None:
    seconds: Seconds = sides[0].first.seconds
    strata = seconds._strata()
    assert len(np.unique(strata)) > 1
    for stratum in np.unique(strata):
        inside = strata == stratum
        assert (seconds.weights[:, inside].sum(axis=1) == inside.sum()).all()


@pytest.mark.parametrize("sides", [(["a1"], ["a2"])], indirect=True)
def test_quantiles_of_draws_lie_around_the_quantile_of_the_run(sides: list[Side]) -> None:
    run = sides[0].first
    values = run.evidence.latencies_ms.to_numpy()
    draws = run.seconds.quantile_draws(run.seconds.deliveries, 0.5)
    assert abs(np.median(draws) / 1000 / np.quantile(values, 0.5) - 1) < 0.25
    assert len(np.unique(draws)) > 5


@pytest.mark.parametrize("sides", [(["a1"], ["broken"])], indirect=True)
def test_another_server_is_shown_and_not_judged(sides: list[Side], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(sides[1].first), "server", property(lambda run: run.name))
    comparison = compared(sides)
    assert (comparison.judged, comparison.exit_code, comparison.headline[0]) == ((False,), 0, "Compared")


@pytest.mark.parametrize("sides", [(["a1"], ["a2"])], indirect=True)
def test_latencies_of_an_overloaded_generator_are_left_out(sides: list[Side]) -> None:
    def known() -> set[str]:
        changes = [one for row in compared(sides).rows for one in row.changes]
        return {one.figure.group for one in changes if one.kind is not Kind.ABSENT}

    assert "latency" in known()
    run = sides[1].first
    run.summary = {**run.summary, "latency_valid": False}
    assert "latency" not in known()
    assert compared(sides).overloaded == ["a2"]


def test_the_dialect_is_that_of_the_targets_scheme() -> None:
    targets = ("embedded", "chat+tcp://a:1", "mqtt://b", "xmpp+ws://c")
    assert [dialect_of(target) for target in targets] == ["chat", "chat", "mqtt", "xmpp"]


def test_every_figure_has_a_place_of_its_own() -> None:
    names = [figure.name for figure in figures.all_figures()]
    assert len(names) == len(set(names)) > 25


def test_changes_are_said_as_people_do() -> None:
    assert [signed(share) for share in (0.123, -0.034, 0.0, 3.2)] == ["+12 %", "−3.4 %", "±0 %", "×4.2"]


def test_without_judged_figures_the_chart_says_so() -> None:
    assert changes(Comparison((), (), (), (), [])).draw is None


def run_command(*words: str) -> Any:
    return CliRunner().invoke(command, list(words), standalone_mode=False)


def test_the_command_writes_a_page_and_says_it_with_its_exit_code(
    runs: dict[str, Path], tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    good = [str(runs[name]) for name in ("a1", "a2")]
    result = run_command("--base", *good, "--new", str(runs["broken"]), "--out", str(page), "--json")
    assert isinstance(result.exception, SystemExit)
    assert result.exception.code == 1
    found = json.loads(result.stdout)
    assert (found["result"], found["exit_code"], len(found["sides"][0]["runs"])) == ("worse", 1, 2)
    html = page.read_text()
    assert "could not be drawn" not in html
    assert html.count("<svg") >= 8
    assert "http" not in html.replace("http://www.w3.org", "")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["one"], "two runs or more"),
        ([], "two runs or more"),
        (["--base", "x"], "two runs or more"),
        (["--base", "--new", "x"], "two runs or more"),
        (["--out", "x", "lonely", "--base", "a", "--new=b"], "belongs to no side"),
        (["nowhere/a", "nowhere/b"], "no folder"),
    ],
)
def test_wrong_use_is_told_in_a_line(words: list[str], says: str) -> None:
    result = run_command(*words)
    assert says in str(result.exception)
    assert getattr(result.exception, "exit_code", None) == 2
