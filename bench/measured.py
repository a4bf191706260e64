"""A process under the glass: its memory and CPU from /proc, its own and nobody else's."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import psutil

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_END_S = 5.0


class Measured:
    """`pids` and, `with_children`, whatever they have started."""

    def __init__(self, pids: Sequence[int], *, with_children: bool = False) -> None:
        self.roots = tuple(pids)
        self._with_children = with_children

    def cpu_s(self) -> float:
        """User and system time of all threads so far."""
        return sum(_cpu_s(Path(f"/proc/{pid}/stat")) for pid in self._pids())

    def thread_cpu_s(self) -> dict[int, float]:
        """The same by thread."""
        return {
            int(thread.name): _cpu_s(thread / "stat")
            for pid in self._pids()
            for thread in Path(f"/proc/{pid}/task").iterdir()
        }

    def rss_bytes(self) -> int:
        """What is resident, from smaps_rollup: exact, unlike the counters of /proc/PID/statm."""
        return sum(_rss_bytes(pid) for pid in self._pids())

    def _pids(self) -> list[int]:
        found = list(self.roots)
        for pid in self.roots if self._with_children else ():
            try:
                found += [child.pid for child in psutil.Process(pid).children(recursive=True)]
            except psutil.NoSuchProcess:
                continue
        return [pid for pid in found if Path(f"/proc/{pid}").exists()]


def _cpu_s(stat: Path) -> float:
    try:
        fields = stat.read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):  # it ended just now
        return 0.0
    return (int(fields[11]) + int(fields[12])) * _TICK_S


def _rss_bytes(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) << 10 for line in rollup.splitlines() if line.startswith("Rss:")), 0)


@contextmanager
def running(command: Sequence[str], log: Path, **options: Any) -> Iterator["subprocess.Popen[bytes]"]:
    """`command` as a process for the length of the block, then killed; its standard error is in `log`."""
    with log.open("ab") as complaints:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, **options
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            for child in psutil.Process(process.pid).children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    child.kill()
            process.kill()
        process.wait(_END_S)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def module(name: str, *arguments: object) -> list[str]:
    """The command line of a module of ours."""
    return [sys.executable, "-m", name, *map(str, arguments)]


def line_of(process: "subprocess.Popen[bytes]", log: Path) -> bytes:
    """The next line it says. Raises PeerFailed with the last of its complaints if it ended instead."""
    line = _pipe(process.stdout).readline()
    if not line:
        raise PeerFailed(last_words(log))
    return line


def tell(process: "subprocess.Popen[bytes]", line: bytes) -> None:
    """Write a line to its standard input. Raises PeerFailed when it has ended."""
    pipe = _pipe(process.stdin)
    try:
        pipe.write(line + b"\n")
        pipe.flush()
    except BrokenPipeError:
        raise PeerFailed("it ended") from None


def last_words(log: Path) -> str:
    """The last line of a log."""
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it ended without a word"


def wait_until(holds: Any, timeout_s: float, every_s: float = 0.02) -> bool:
    """Whether `holds()` came true in time."""
    until = time.monotonic() + timeout_s
    while not (done := holds()) and time.monotonic() < until:
        time.sleep(every_s)
    return bool(done)


class PeerFailed(Exception):
    """A peer did not do what it was asked; one line says what it did instead."""


def _pipe(pipe: "IO[bytes] | None") -> "IO[bytes]":
    assert pipe is not None
    return pipe
