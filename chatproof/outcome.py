"""What is left of a run: summary.json, junit.xml, report.html, a table on the terminal, an exit code."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from chatproof.errors import CannotRun
from chatproof.witnessed import save_views
from ledger.errors import LedgerError
from ledger.judging import judge
from ledger.run_folder import RunFolder
from ledger.summary import exit_code
from reports.build import build_report
from reports.errors import ReportError

_COLORS = {"pass": "green", "fail": "bold red", "unknown": "yellow"}
_SHOWN_WITNESSES = 3


def conclude(folder: RunFolder, thresholds: Sequence[str], console: Console, *, reports: bool = True) -> int:
    """Everything after the load, from the run folder alone; the exit code. Raises CannotRun."""
    try:
        summary = judge(folder, thresholds)
        save_views(folder, summary)
        report = build_report(folder.path) if reports else None
    except (LedgerError, ReportError, OSError) as error:
        raise CannotRun(str(error)) from error
    show(summary, console)
    if report is not None:
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
