"""What people see while a run goes on: a live panel on a terminal, a line every few seconds elsewhere."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import gevent
from rich.console import Console
from rich.live import Live
from rich.table import Table

PLAIN_INTERVAL_S = 5.0


@dataclass(slots=True)
class Status:
    """One look at the run. `totals` as of scenarios.conductor; times in seconds."""

    phase: str
    elapsed_s: float
    totals: dict[str, Any]
    p99_ms: float | None
    faults: list[str] = field(default_factory=list)


class Progress:
    """Shows what `look()` returns, once a second, until the block ends."""

    def __init__(self, look: Callable[[], Status], console: Console) -> None:
        self._look = look
        self._console = console
        self._live = (
            Live(console=console, refresh_per_second=2, transient=True) if console.is_terminal else None
        )
        self._last = (time.monotonic(), 0)
        self._rate = 0.0

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        self._greenlet = gevent.spawn(self._run)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._greenlet.kill()
        if self._live is not None:
            self._live.stop()

    def say(self, text: str) -> None:
        """A line that stays."""
        self._console.print(text, highlight=False, soft_wrap=True)

    def _run(self) -> None:
        shown_at, phase = 0.0, ""
        while True:
            status = self._look()
            now = time.monotonic()
            self._measure(status, now)
            if self._live is not None:
                self._live.update(self._panel(status))
            elif now - shown_at >= PLAIN_INTERVAL_S or status.phase != phase:
                shown_at, phase = now, status.phase
                self._console.print(self._line(status), highlight=False, soft_wrap=True)
            gevent.sleep(1.0)

    def _measure(self, status: Status, now: float) -> None:
        acked = status.totals["messages"].get("acked", 0)
        before, count = self._last
        if now > before:
            self._rate = max(0.0, (acked - count) / (now - before))
        self._last = (now, acked)

    def _line(self, status: Status) -> str:
        totals = status.totals
        parts = [
            f"{status.elapsed_s:6.1f} s  {status.phase:<9}",
            f"connections {totals['connections']:,}/{totals['target']:,}",
        ]
        if totals["messages"].get("sent"):
            parts.append(f"{self._rate:,.0f} msg/s")
            parts.append(f"delivered {totals['messages']['delivered']:,}")
        if totals["beats"].get("answered"):
            parts.append(f"beats {totals['beats']['answered']:,}/{totals['beats']['sent']:,}")
        if status.p99_ms is not None:
            parts.append(f"p99 {status.p99_ms:,.0f} ms")
        parts.append("faults: " + (", ".join(status.faults) or "none"))
        return "  ".join(parts)

    def _panel(self, status: Status) -> Table:
        totals, table = status.totals, Table(show_header=False, box=None, padding=(0, 2))
        rows = [
            (f"[bold]{status.phase}[/bold]", f"{status.elapsed_s:.0f} s"),
            ("connections", f"{totals['connections']:,} of {totals['target']:,}"),
            ("acknowledged", f"{totals['messages'].get('acked', 0):,}  ({self._rate:,.0f} msg/s)"),
            ("delivered", f"{totals['messages'].get('delivered', 0):,}"),
            ("repeats suppressed", f"{totals['messages'].get('repeated', 0):,}"),
            ("heartbeats", f"{totals['beats'].get('answered', 0):,} of {totals['beats'].get('sent', 0):,}"),
            ("delivery p99", "–" if status.p99_ms is None else f"{status.p99_ms:,.0f} ms"),
            ("faults on now", "[red]" + ", ".join(status.faults) + "[/red]" if status.faults else "none"),
        ]
        for name, value in rows:
            table.add_row(name, value)
        return table
