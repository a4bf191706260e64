"""How long the garbage collector stops a process: nothing else of it runs meanwhile."""

import gc
import time


class Pauses:
    """Collections of this process, of all generations, from now until `close`. Seconds."""

    __slots__ = ("_began", "_worst_s", "total_s")

    def __init__(self) -> None:
        self.total_s = 0.0
        self._worst_s = 0.0
        self._began = 0.0
        gc.callbacks.append(self._collecting)

    def take_worst_s(self) -> float:
        """The longest since this was asked last."""
        worst, self._worst_s = self._worst_s, 0.0
        return worst

    def close(self) -> None:
        """Count no further ones. Twice is allowed."""
        if self._collecting in gc.callbacks:
            gc.callbacks.remove(self._collecting)

    def _collecting(self, phase: str, _: dict[str, int]) -> None:
        now = time.perf_counter()
        if phase == "start":
            self._began = now
            return
        took_s = now - self._began
        self.total_s += took_s
        self._worst_s = max(self._worst_s, took_s)
