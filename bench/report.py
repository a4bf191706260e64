"""How long the report of a run takes, in how much memory, and how large it is."""

import multiprocessing
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from bench.ledger import FILES, peak, since, spent, write_run
from bench.row import Options, Row
from ledger.run_folder import RunFolder

NAME = "report"


def build(run: RunFolder) -> list[Row]:
    """The report of a run that has been judged."""
    from ledger.checks import run_checks
    from ledger.reader import Ledger
    from ledger.summary import summarise
    from reports.build import build_report

    ledger = Ledger.open(run)
    run.save_summary(summarise(ledger, run_checks(ledger), []))
    began = spent()
    page = build_report(run.path)
    return [Row("report.html", since(began) | peak() | {"MB": page.stat().st_size / 1e6})]


def run(options: Options) -> list[Row]:
    """Seconds, CPU seconds, peak memory (checks included) and size over a ledger of `rows` rows, in a process
    of its own."""
    with tempfile.TemporaryDirectory() as folder:
        written = RunFolder(Path(folder))
        write_run(written, options.rows, FILES)
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
            return process.submit(build, written).result()
