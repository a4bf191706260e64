"""The suite over several carriers at once: a process each, which tells of each case as it is over."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from conformance.verdicts import CaseResult, Verdict
from refserver.workers import environment_with_this_code

_LOOK_S = 0.2
_PROGRESS_S = 20.0
_STOP_S = 40.0
_ENDED_WELL = (0, 1, 3)


class Job(NamedTuple):
    """A run of the suite: what its results stand under, how the process begins, and its own arguments."""

    column: str
    module: str
    arguments: tuple[str, ...]


def over_carrier(carrier: str) -> Job:
    """The suite over one carrier."""
    return Job(carrier, "conformance", ("--carrier", carrier))


class Run:
    """One job. `cases`: those that are over; `trouble`: why there are not all of them."""

    def __init__(self, job: Job, arguments: Sequence[str], folder: Path) -> None:
        self.carrier = carrier = job.column
        self.cases: list[CaseResult] = []
        self.began = time.monotonic()
        self.code: int | None = None
        self._told = folder / f"{carrier}.jsonl"
        self._log = folder / f"{carrier}.log"
        self._told.touch()
        self._read_bytes = 0
        own = [*job.arguments, "--tell", str(self._told)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", job.module, str(os.getpid()), *arguments, *own],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment_with_this_code(),
                # Ctrl-C is for whoever started this run, who then ends it.
                start_new_session=True,
            )

    @property
    def trouble(self) -> str:
        if self.code is None or self.code in _ENDED_WELL:
            return ""
        said = [line for line in self._log.read_text(errors="replace").splitlines() if line.strip()]
        return f"ended with {self.code}: {said[-1] if said else 'it said nothing'}"

    def look(self) -> list[CaseResult]:
        """The cases that are over since the last look; `code` is set once there will be no more."""
        code = self._process.poll()
        with self._told.open("rb") as lines:
            lines.seek(self._read_bytes)
            data = lines.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._read_bytes += len(whole)
        new = [msgspec.json.decode(line, type=CaseResult) for line in whole.splitlines()]
        self.cases += new
        self.code = code
        return new

    def interrupt(self) -> None:
        """Told to end, with the server that it has started."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)

    def end(self) -> None:
        """Has ended; killed if that takes too long."""
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def run_all(
    wanted: Sequence[Job],
    arguments: Sequence[str],
    folder: Path,
    jobs: int,
    say: Callable[[str], None],
) -> list[Run]:
    """All that is `wanted`, `jobs` at a time; `say` is told of the progress, a line at a time.

    Whatever ends this early, KeyboardInterrupt too, ends the runs as well.
    """
    waiting = deque(wanted)
    runs: list[Run] = []
    running: list[Run] = []
    said_at = time.monotonic()
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                run = Run(waiting.popleft(), arguments, folder)
                runs.append(run)
                running.append(run)
            time.sleep(_LOOK_S)
            for run in running:
                for case in run.look():
                    if case.verdict in (Verdict.FAIL, Verdict.UNKNOWN):
                        say(f"{run.carrier:<10} {case.verdict}: {case.title}: {case.message}")
                if run.code is not None:
                    say(_result(run))
            running = [run for run in running if run.code is None]
            if time.monotonic() - said_at >= _PROGRESS_S:
                said_at = time.monotonic()
                for run in running:
                    say(f"{run.carrier:<10} {len(run.cases)} cases are over after {_lasted(run)}")
    finally:
        for run in running:
            run.interrupt()
        for run in running:
            run.end()
    return runs


def _result(run: Run) -> str:
    if run.trouble:
        return f"{run.carrier:<10} {run.trouble}"
    counts = Counter(case.verdict for case in run.cases)
    verdicts = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
    return f"{run.carrier:<10} done: {len(run.cases)} cases in {_lasted(run)}: {verdicts or 'none'}"


def _lasted(run: Run) -> str:
    return f"{time.monotonic() - run.began:.0f} s"
