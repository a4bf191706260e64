"""A run folder's verdict, from the folder alone: summary.json, histograms.json, junit.xml."""

from collections.abc import Sequence
from typing import Any

from ledger.checks import Options, run_checks
from ledger.histograms import merged
from ledger.junit import write_junit
from ledger.reader import Ledger
from ledger.run_folder import RunFolder
from ledger.samples import read_lines
from ledger.summary import summarise
from ledger.thresholds import parse


def judge(folder: RunFolder, thresholds: Sequence[str] = ()) -> dict[str, Any]:
    """The summary, which then lies in the folder with the other two. Raises LedgerError."""
    ledger = Ledger.open(folder)
    results = run_checks(ledger, Options(heartbeat_s=float(ledger.environment["heartbeat_s"])))
    summary = summarise(ledger, results, [parse(expression) for expression in thresholds])
    folder.save_summary(summary)
    folder.save_histograms(_histograms(folder))
    write_junit(folder.junit, summary)
    return summary


def _histograms(folder: RunFolder) -> dict[str, str]:
    seconds: dict[str, list[str]] = {}
    for path in sorted(folder.processes.glob("*.jsonl")):
        for line in read_lines(path):
            for name, encoded in line.get("histograms", {}).items():
                seconds.setdefault(name, []).append(encoded)
    return {name: merged(encoded).encode().decode("ascii") for name, encoded in seconds.items()}
