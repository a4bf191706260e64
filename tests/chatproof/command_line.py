"""`chatproof` as people start it: a process, what it prints, and whatever it starts itself."""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

MARK = "CHATPROOF_TEST_MARK"
TIMEOUT_S = 200.0
_LIMITED = """
import os, resource, sys
resource.setrlimit(getattr(resource, sys.argv[1]), (int(sys.argv[2]), int(sys.argv[2])))
os.execv(sys.executable, [sys.executable, "-m", "chatproof", *sys.argv[3:]])
"""


@dataclass(frozen=True)
class Ended:
    """`left`: processes that outlived the command."""

    code: int
    out: str
    err: str
    left: tuple[str, ...]


class Command:
    """A command under way, leader of a process group of its own. All that comes from it bears its mark."""

    def __init__(self, *words: str, cwd: Path, limit: tuple[str, int] | None = None) -> None:
        """`limit`: such as ("RLIMIT_NOFILE", 300), for it and what it starts."""
        self.cwd = cwd
        self._mark = uuid.uuid4().hex
        program = ["-m", "chatproof"] if limit is None else ["-c", _LIMITED, limit[0], str(limit[1])]
        self.process = subprocess.Popen(
            [sys.executable, *program, *words],
            cwd=cwd,
            env={**os.environ, MARK: self._mark, "COLUMNS": "200"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def lines_until(self, word: str) -> list[str]:
        """What it printed, up to the line with `word`."""
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if word in line:
                return lines
        _, err = self.process.communicate()
        raise AssertionError(f"it ended before it said {word!r}: {''.join(lines)}{err}")

    def end(self) -> Ended:
        """Waits for it."""
        try:
            out, err = self.process.communicate(timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill_all()
            out, err = self.process.communicate()
            raise AssertionError(f"it did not end: {out}{err}") from None
        left = tuple(" ".join(each.cmdline()) for each in self.family())
        self.kill_all()
        return Ended(self.process.returncode, out, err, left)

    def family(self) -> list[psutil.Process]:
        """It and everything that it started, as far as it runs."""
        return [each for each in psutil.process_iter() if _mark_of(each) == self._mark]

    def kill_all(self) -> None:
        for each in self.family():
            each.send_signal(signal.SIGKILL)


def _mark_of(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARK)
    except (psutil.Error, OSError):
        return None


def chatproof(*words: str, cwd: Path, limit: tuple[str, int] | None = None) -> Ended:
    """The command from its start to its end."""
    return Command(*words, cwd=cwd, limit=limit).end()


def one_line(ended: Ended) -> Iterator[str]:
    """What is wrong with how a command told of a mistake; nothing when it did as it should."""
    if ended.err.count("\n") != 1:
        yield f"not one line: {ended.err!r}"
    if not ended.err.startswith("chatproof: "):
        yield f"does not say who speaks: {ended.err!r}"
    if ended.left:
        yield f"still running: {ended.left}"
