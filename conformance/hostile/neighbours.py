"""The bystanders' process, seen from the siege: how long their messages took, and when."""

import subprocess
import sys
import threading
from types import TracebackType
from typing import Self

from refserver.workers import environment_with_this_code

_END_S = 30.0


class NeighboursFailed(Exception):
    """The bystanders could not begin to talk, or fell silent; the text says why."""


class Neighbours:
    """`latencies`: (planned, took) of every message that was shown so far, in monotonic ns."""

    def __init__(self, address: tuple[str, int], talker: str, listener: str) -> None:
        """Returns when both are logged in. Raises NeighboursFailed."""
        host, port = address
        self.latencies: list[tuple[int, int]] = []
        self.lost: int | None = None
        self._process = subprocess.Popen(
            [sys.executable, "-m", "conformance.hostile.bystanders", f"{host}:{port}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=environment_with_this_code(),
        )  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{talker} {listener}\n")
        self._process.stdin.flush()
        if self._process.stdout.readline().strip() != "ready":
            raise NeighboursFailed(f"two users cannot talk: {self._last_words()}")
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()

    def end(self) -> int:
        """They have said all; how many messages were never shown. Raises NeighboursFailed."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._reader.join(_END_S)
        if self.lost is None:
            raise NeighboursFailed(f"two users fell silent: {self._last_words()}")
        return self.lost

    def between(self, began_ns: int, ended_ns: int) -> list[float]:
        """Seconds that messages planned in that time took, in ascending order."""
        return sorted(took / 1e9 for planned, took in self.latencies if began_ns <= planned < ended_ns)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            first, second = line.split()
            if first == "lost":
                self.lost = int(second)
            else:
                self.latencies.append((int(first), int(second)))

    def _last_words(self) -> str:
        self._process.kill()
        assert self._process.stderr is not None
        said = self._process.stderr.read().strip().splitlines()
        return said[-1] if said else "they did not say why"
