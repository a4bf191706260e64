"""What is seen while a run goes on: a live panel on a terminal, a line every few seconds elsewhere, or a JSON
object a second for machines."""

import json
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import gevent
from rich.console import Console
from rich.live import Live

from chatproof.panel import panel
from chatproof.status import Pace, Status

PLAIN_INTERVAL_S = 5.0
_LOOK_S = 1.0


class Progress:
    """Shows what `look()` returns, once a second, until the block ends.

    `for_machines`: as JSON lines, unless the console is a terminal.
    """

    def __init__(self, look: Callable[[], Status], console: Console, *, for_machines: bool = False) -> None:
        self._look = look
        self._console = console
        self._for_machines = for_machines and not console.is_terminal
        self._live = (
            Live(console=console, refresh_per_second=2, transient=True) if console.is_terminal else None
        )
        self._pace = Pace()
        self._shown_at, self._phase = 0.0, ""

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

    def show(self, status: Status, now: float) -> None:
        """One look, at a monotonic second."""
        self._pace.look(status, now)
        if self._live is not None:
            self._live.update(panel(status, self._pace))
        elif self._for_machines:
            self._console.print(
                json.dumps(status.as_json()), highlight=False, soft_wrap=True, markup=False, emoji=False
            )
        elif now - self._shown_at >= PLAIN_INTERVAL_S or status.phase != self._phase:
            self._shown_at, self._phase = now, status.phase
            self._console.print(_line(status, self._pace), highlight=False, soft_wrap=True)

    def _run(self) -> None:
        while True:
            self.show(self._look(), time.monotonic())
            gevent.sleep(_LOOK_S)


def _line(status: Status, pace: Pace) -> str:
    totals = status.totals
    parts = [
        f"{status.elapsed_s:6.1f} s  {status.phase:<9}",
        f"connections {totals['connections']:,}/{totals['target']:,}",
    ]
    if totals["messages"].get("sent"):
        parts.append(f"{pace.acked:,.0f} msg/s")
        parts.append(f"delivered {totals['messages']['delivered']:,}")
        if overdue := totals.get("deliveries", {}).get("overdue"):
            parts.append(f"overdue {overdue:,}")
    if totals["beats"].get("answered"):
        parts.append(f"beats {totals['beats']['answered']:,}/{totals['beats']['sent']:,}")
    if status.p99_ms is not None:
        parts.append(f"p99 {status.p99_ms:,.0f} ms")
    parts.append("faults: " + (", ".join(status.faults) or "none"))
    return "  ".join(parts)
