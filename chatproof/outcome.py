"""What is left of a run: summary.json, junit.xml, report.html, a table on the terminal, an exit code."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from chatproof.errors import CannotRun
from ledger.checks import Options, run_checks
from ledger.errors import LedgerError
from ledger.histograms import merged
from ledger.junit import write_junit
from ledger.reader import Ledger
from ledger.run_folder import RunFolder
from ledger.samples import read_lines
from ledger.summary import exit_code, summarise
from ledger.thresholds import parse
from reports.build import build_report

_COLORS = {"pass": "green", "fail": "bold red", "unknown": "yellow"}
_SHOWN_WITNESSES = 3


def judge(folder: RunFolder, thresholds: Sequence[str], console: Console) -> int:
    """Everything after the load, from the run folder alone; the exit code. Raises CannotRun."""
    try:
        ledger = Ledger.open(folder)
        results = run_checks(ledger, Options(heartbeat_s=float(ledger.environment["heartbeat_s"])))
        summary = summarise(ledger, results, [parse(expression) for expression in thresholds])
        folder.save_summary(summary)
        folder.save_histograms(_histograms(folder))
        write_junit(folder.junit, summary)
    except LedgerError as error:
        raise CannotRun(str(error)) from error
    report = build_report(folder.path)
    show(summary, console)
    console.print(f"report {report}", highlight=False, soft_wrap=True)
    return exit_code(summary)


def show(summary: dict[str, Any], console: Console) -> None:
    """The summary as a table: verdict by check with its figures, latency, thresholds, witnesses."""
    table = Table(title=None, box=None, padding=(0, 2), show_header=False)
    for name, check in summary["checks"].items():
        verdict = check["verdict"] if check["checked"] else "–"
        table.add_row(name, _colored(verdict), escape(_figures(check)))
    for name, latency in summary["latency_ms"].items():
        if latency["count"]:
            shown = "  ".join(f"{key} {latency[key]:,.1f}" for key in ("p50", "p90", "p99", "max"))
            table.add_row(f"{name} ms", "", f"{shown}  of {latency['count']:,}")
    for side in ("generator", "server"):
        cost = summary[side]
        if cost.get("bytes_per_connection") is not None:
            table.add_row(
                side, "", f"{cost['bytes_per_connection']:,.0f} bytes a connection, {cost['cpu_s']:.1f} s CPU"
            )
    for threshold in summary["thresholds"]:
        mark = "[green]ok[/green]" if threshold["ok"] else "[bold red]missed[/bold red]"
        table.add_row("threshold", mark, escape(f"{threshold['expression']}  (is {threshold['value']})"))
    console.print(table)
    for name, check in summary["checks"].items():
        if check["verdict"] == "fail":
            for witness in check["witnesses"][:_SHOWN_WITNESSES]:
                console.print(f"  {name}: {escape(witness['text'])}", highlight=False, soft_wrap=True)
    console.print(f"verdict {_colored(summary['verdict'])}")


def _figures(check: dict[str, Any]) -> str:
    if not check["checked"] or check["verdict"] == "unknown":
        return str(check["reason"])
    numbers = {
        key: value
        for key, value in check.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and value
    }
    return "  ".join(f"{key} {value:,.10g}" for key, value in list(numbers.items())[:9])


def _colored(verdict: str) -> str:
    color = _COLORS.get(verdict)
    return f"[{color}]{verdict}[/{color}]" if color else verdict


def _histograms(folder: RunFolder) -> dict[str, str]:
    seconds: dict[str, list[str]] = {}
    for path in sorted(folder.processes.glob("*.jsonl")):
        for line in read_lines(path):
            for name, encoded in line.get("histograms", {}).items():
                seconds.setdefault(name, []).append(encoded)
    return {name: merged(encoded).encode().decode("ascii") for name, encoded in seconds.items()}
