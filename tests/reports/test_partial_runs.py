"""Interrupted and partial runs get a report that says what is missing."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from markupsafe import Markup

from reports import build
from reports.build import build_report
from reports.canvas import Sheet
from reports.errors import ReportError


@pytest.fixture(autouse=True)
def _without_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Charts are drawn, but not laid out and written, which is what takes the time."""

    def sketch(draw: Callable[[Sheet], None], size: tuple[int, int], name: str, label: str) -> Markup:
        draw(Sheet(*size, narrow=size[0] < 600))
        return Markup("<svg></svg>")

    monkeypatch.setattr(build, "render", sketch)


def report(run: Path) -> str:
    html = build_report(run).read_text()
    assert 'class="error"' not in html
    return re.sub(r"</?data[^>]*>", "", html)


def test_a_whole_run_misses_nothing(run: Path) -> None:
    assert "What is missing" not in report(run)


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ("summary.json", "the summary (summary.json): nothing was judged"),
        ("phases.json", "the phases of the run (phases.json)"),
        ("environment.json", "the environment (environment.json)"),
        ("tables/devices.parquet", "the table of devices"),
        ("tables/conversations.parquet", "the table of conversations"),
        ("tables/members.parquet", "the table of members"),
        ("ledger", "the ledger (no file in ledger/)"),
        ("processes", "no heartbeats, memory or CPU"),
    ],
)
def test_each_missing_part_is_named(run: Path, gone: str, said: str) -> None:
    path = run / gone
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    assert said in report(run)


def test_a_run_without_summary_claims_no_verdict(run: Path) -> None:
    (run / "summary.json").unlink()
    html = report(run)
    assert "The run left no summary: nothing was judged." in html
    assert "no exit code is known" in html


def test_only_a_plan_is_enough_for_a_report(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text("seed = 1\n")
    html = report(tmp_path)
    assert "What is missing from this run" in html
    assert "nothing is known of what it would take" in html


def test_a_ledger_of_no_rows_says_so(run: Path) -> None:
    for file in (run / "ledger").iterdir():
        pl.read_parquet(file).clear().write_parquet(file)
    assert "the ledger is there and has none" in report(run)


def test_a_torn_ledger_file_is_named_and_the_rest_is_used(run: Path) -> None:
    torn = run / "ledger" / "generator-0.parquet"
    torn.write_bytes(torn.read_bytes()[:500])
    html = report(run)
    assert "the rows of generator-0.parquet, which cannot be read" in html
    assert "deliveries" in html


def test_an_interrupted_run_says_so_with_its_exit_code(run: Path) -> None:
    phases = json.loads((run / "phases.json").read_text()) | {"interrupted": True, "settle_end_ns": 0}
    (run / "phases.json").write_text(json.dumps(phases))
    html = report(run)
    assert "exit code 130" in html
    assert "the phase mark settle_end_ns: the run did not get that far" in html


@pytest.mark.parametrize("name", ["nowhere", "file", "empty"])
def test_what_is_no_run_folder_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ReportError) as refused:
        build_report(tmp_path / name)
    assert "\n" not in str(refused.value)
    assert name in str(refused.value)
