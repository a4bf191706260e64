"""Climbing a ladder: a run for each step, until a check or a threshold breaks or the swarm is the limit."""

import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import IO, Any

import msgspec

from chatproof.errors import CannotRun
from chatproof.sweeping.record import save
from chatproof.sweeping.steps import Step
from ledger.errors import LedgerError
from ledger.run_folder import RunFolder
from reports.capacity.observed import Observed
from reports.capacity.sweep import Done, Sweep

PASSED, FAILED, MISSED, INTERRUPTED = 0, 1, 99, 130


class Climb:
    """`plan` and `options` as `chatproof run` has them, for every step; `folder` gets a folder for each."""

    def __init__(
        self, plan: str, options: Sequence[str], folder: Path, command: str, output: IO[Any]
    ) -> None:
        self._plan = plan
        self._options = list(options)
        self._folder = folder
        self._output = output
        self._running: subprocess.Popen[bytes] | None = None
        self._interrupted = False
        self._sweep = Sweep(command=command, plan=plan, steps=[], planned=0, ended="")

    def all(self, steps: Sequence[Step]) -> Sweep:
        """What the steps found; sweep.json has it too, after each. Raises CannotRun."""
        self._sweep.planned = len(steps)
        with _Signals(self._interrupt):
            for nth, step in enumerate(steps, 1):
                load = f"{step.connections:,} connections, {step.rate:,g} messages a second"
                self._say(f"step {nth} of {len(steps)}: {load}")
                done = self._one(nth, step)
                self._sweep.steps.append(done)
                if self._interrupted:
                    done.exit_code = INTERRUPTED
                self._sweep.ended = why_ended(done, nth == len(steps))
                save(self._folder, self._sweep)
                if self._sweep.ended:
                    break
        self._say(f"the sweep ended: {self._sweep.ended}")
        return self._sweep

    def _one(self, nth: int, step: Step) -> Done:
        folder = self._folder / f"{nth:02d}-{step.connections}-connections"
        command = [
            sys.executable, "-m", "chatproof", "run", self._plan, *self._options,
            "--connections", str(step.connections), "--rate", f"{step.rate:g}", "--out", str(folder),
        ]  # fmt: skip
        # Ctrl-C goes to the whole terminal, and a run knows what to do with it: here it is only waited for.
        try:
            self._running = subprocess.Popen(command, stdout=self._output)
        except OSError as error:
            raise CannotRun(f"cannot start a run: {error.strerror}") from error
        code = self._running.wait()
        return done_of(folder, step, code)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self._interrupted = True
        if number == signal.SIGTERM and self._running is not None:
            self._running.send_signal(number)

    def _say(self, text: str) -> None:
        print(text, file=self._output, flush=True)


def exit_code(sweep: Sweep) -> int:
    """0 if a step held, for finding the limit is what a sweep is for; that of the first step if none did."""
    if sweep.steps and sweep.steps[-1].exit_code == INTERRUPTED:
        return INTERRUPTED
    if any(step.held for step in sweep.steps):
        return PASSED
    return sweep.steps[0].exit_code or FAILED if sweep.steps else FAILED


def why_ended(done: Done, last: bool) -> str:
    """Why a ladder ends with this step, "" if the next one may begin. `last`: there is none."""
    load = f"{done.connections:,} connections and {done.rate:,g} messages a second"
    if done.exit_code == INTERRUPTED:
        return "it was interrupted"
    if done.exit_code not in (PASSED, FAILED, MISSED):
        return f"the run with {load} ended with exit code {done.exit_code}"
    if done.overloaded:
        return f"with {load} the swarm itself was the limit"
    if done.exit_code == FAILED:
        return f"with {load} a check failed or could not be made"
    if done.exit_code == MISSED:
        return f"with {load} a threshold was missed: {'; '.join(done.missed)}"
    return "every step held, the limit is further up" if last else ""


def done_of(folder: Path, step: Step, code: int) -> Done:
    """What the run in this folder found; only its exit code if it left no summary."""
    run = RunFolder(folder)
    try:
        summary = run.load_summary()
    except LedgerError:
        # A run that could not begin has told why on its own; there is nothing more to say of it.
        return Done(folder.name, step.connections, step.rate, code)
    told = (summary.get("figures") or {}).get("capacity") or {}
    deliver = (summary.get("latency_ms") or {}).get("deliver") or {}
    beat = (summary.get("latency_ms") or {}).get("heartbeat") or {}
    return Done(
        folder=folder.name,
        connections=step.connections,
        rate=step.rate,
        exit_code=code,
        verdict=str(summary.get("verdict", "")),
        overloaded=not summary.get("latency_valid", True),
        missed=[str(one["expression"]) for one in summary.get("thresholds") or [] if not one["ok"]],
        failed=[name for name, check in (summary.get("checks") or {}).items() if check["verdict"] == "fail"],
        deliver_p99_ms=deliver.get("p99"),
        heartbeat_p99_ms=beat.get("p99"),
        observed=msgspec.convert(told["observed"], Observed) if "observed" in told else None,
    )


class _Signals:
    """SIGINT and SIGTERM are told to `heard` for the length of the block."""

    def __init__(self, heard: Any) -> None:
        self._heard = heard
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._heard)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
