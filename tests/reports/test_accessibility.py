"""Every kind of page in a browser: what axe says, its console, whether it fits on a phone and on paper."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from reports.build import build_report
from reports.compare.build import build_page as build_comparison
from reports.compare.comparison import compared
from reports.compare.run import sides_of
from reports.history.build import build_page as build_history
from reports.history.build import followed
from reports.history.series import series_below
from tests.reports.test_history import noisy, write

_PROGRAM = Path(__file__).parents[1] / "browser" / "examined.py"
_PATIENCE_S = 360.0


def test_pages_are_for_everybody(
    run: Path, swept: Path, tmp_path: Path, requires: Callable[[str], str]
) -> None:
    write(tmp_path / "runs", noisy((10, 6), (20, 6)))
    history, left_out = series_below(tmp_path / "runs")
    pages = [build_report(run), swept / "sweep.html"]
    pages.append(build_history(tmp_path / "runs", followed(history), left_out, tmp_path / "history.html"))
    with sides_of([[run], [run]]) as sides:
        pages.append(tmp_path / "compare.html")
        build_comparison(compared(sides), pages[-1])
    done = subprocess.run(
        [sys.executable, str(_PROGRAM), requires("chromium"), *(page.as_uri() for page in pages)],
        capture_output=True, text=True, timeout=_PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for found in json.loads(done.stdout):
        assert (found["violations"], found["said"]) == ([], []), found["url"]
        assert found["width"] == 400, found["url"]
        assert (found["printed"], found["cut"]) == (718, []), found["url"]
