"""The live panel of a run on a terminal."""

from collections.abc import Sequence

from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from chatproof.status import Pace, Status
from reports.figures import count, duration, plural, size

_BARS = "▁▂▃▄▅▆▇█"
_BUSY_SHARE, _LATE_MS = 0.9, 100.0
"""From which share of a core, and which lag, the generator is what is measured."""


def panel(status: Status, pace: Pace) -> Panel:
    """Everything there is to see now; as wide as the terminal is, at most as a book's page."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0), expand=True)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    for name, shown in _rows(status, pace):
        table.add_row(name, shown)
    title = f"[bold]{status.phase}[/bold]  {status.elapsed_s:.0f} s"
    return Panel(table, title=title, title_align="left", border_style=_border(status), width=None)


def _rows(status: Status, pace: Pace) -> list[tuple[str, Text | Table]]:
    totals = status.totals
    rows: list[tuple[str, Text | Table]] = [("connections", _connections(status, pace))]
    if totals["messages"].get("sent"):
        rows += [
            ("messages", _messages(status, pace)),
            ("roll call", _roll_call(status)),
            ("delivery", _delivery(status, pace)),
        ]
    beats = totals["beats"]
    if beats.get("sent"):
        beaten = Text(f"{beats['answered']:,} of {beats['sent']:,} answered  ({_a_second(pace.beats)})")
        if beats.get("missed"):
            beaten.append(f"  missed {beats['missed']:,}", "yellow")
        rows.append(("heartbeats", beaten))
    faults = Text(", ".join(status.faults), "bold red") if status.faults else Text("none", "dim")
    return [*rows, ("faults on", faults), ("generator", _generator(status))]


def _connections(status: Status, pace: Pace) -> Table:
    totals = status.totals
    grid = Table.grid(padding=(0, 1))
    bar = ProgressBar(total=max(totals["target"], 1), completed=totals["connections"], width=24)
    told = Text(f"{totals['connections']:,} of {totals['target']:,}")
    if pace.opened >= 1:
        told.append(f"  +{_a_second(pace.opened)}", "dim")
    if dropped := totals.get("connects", {}).get("dropped"):
        told.append(f"  dropped {dropped:,}", "yellow")
    grid.add_row(bar, told)
    return grid


def _messages(status: Status, pace: Pace) -> Text:
    messages = status.totals["messages"]
    told = Text(
        f"sent {messages['sent']:,}  acknowledged {messages.get('acked', 0):,}  ({_a_second(pace.acked)})"
    )
    if messages.get("rejected"):
        told.append(f"  rejected {messages['rejected']:,}", "yellow")
    return told


def _roll_call(status: Status) -> Text:
    messages, owed = status.totals["messages"], status.totals.get("deliveries", {})
    overdue = owed.get("overdue", 0)
    told = Text(f"delivered {messages.get('delivered', 0):,}")
    if owed:
        told.append(f" of {owed['expected']:,}  in flight {owed['owed'] - overdue:,}")
        told.append(f"  overdue {overdue:,}", "bold red" if overdue else "dim")
    told.append(f"  repeats {messages.get('repeated', 0):,}", "dim")
    return told


def _delivery(status: Status, pace: Pace) -> Text:
    if status.p99_ms is None:
        return Text("–")
    told = Text(f"p99 {duration(status.p99_ms)}  ")
    told.append(sparkline(pace.latencies), "cyan")
    if pace.latencies:
        told.append(f"  up to {duration(max(pace.latencies))}", "dim")
    return told


def _generator(status: Status) -> Text:
    health = status.totals.get("health")
    if not health:
        return Text("–")
    busy = health["cpu_share"] > _BUSY_SHARE or health["loop_lag_ms"] > _LATE_MS
    told = Text(
        f"lag {duration(health['loop_lag_ms'])}  CPU {health['cpu_share']:.0%} of a core at most  "
        f"{size(health['rss_bytes'])} in {plural(status.totals['processes'], 'process', 'processes')}"
    )
    if busy:
        told.append("  busy: latencies are its own", "bold yellow")
    return told


def _border(status: Status) -> str:
    if status.totals.get("deliveries", {}).get("overdue"):
        return "red"
    return "yellow" if status.faults else "green"


def sparkline(values: Sequence[float]) -> str:
    """A bar for each value, the tallest as high as the largest."""
    top = max(values, default=0.0)
    if top <= 0:
        return _BARS[0] * len(values)
    return "".join(_BARS[min(int(value / top * len(_BARS)), len(_BARS) - 1)] for value in values)


def _a_second(rate: float) -> str:
    return f"{count(round(rate))}/s"
