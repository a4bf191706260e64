"""A run folder's verdict, from the folder alone: summary.json, histograms.json, junit.xml."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ledger.checks import Options, run_checks
from ledger.junit import write_junit
from ledger.reader import Ledger
from ledger.run_folder import RunFolder
from ledger.run_histograms import run_histograms
from ledger.summary import summarise
from ledger.thresholds import parse


def judge(folder: RunFolder, thresholds: Sequence[str] = ()) -> dict[str, Any]:
    """The summary, which then lies in the folder with the other two. Raises LedgerError."""
    ledger = Ledger.open(folder)
    ledger = replace(ledger, histograms=run_histograms(ledger.samples))
    results = run_checks(ledger, Options(heartbeat_s=float(ledger.environment["heartbeat_s"])))
    summary = summarise(ledger, results, [parse(expression) for expression in thresholds])
    folder.save_summary(summary)
    folder.save_histograms(dict(ledger.histograms))
    write_junit(folder.junit, summary)
    return summary
