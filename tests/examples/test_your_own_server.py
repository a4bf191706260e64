"""Who follows docs/your-own-server.md to the letter gets what it shows."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from guide import Command, commands, verdicts

ROOT = Path(__file__).parents[2]
_WHOLE_SUITE = "--clause ARC.2 --clause CHN.1 --clause WAY.1 --clause UNR.2"
"""What stands in for all clauses, which take minutes."""
CHAPTERS = {heading: list(group) for heading, group in groupby(commands(), lambda command: command.heading)}


class Terminal:
    """A folder like the checkout, where the commands are typed; the newest server is stopped for the next."""

    def __init__(self, folder: Path, ports: tuple[int, int]) -> None:
        self._folder = folder
        self._server: subprocess.Popen[str] | None = None
        # The guide's ports may be taken on this machine; nothing else is typed differently.
        self._ports = dict(zip(("14100", "18100"), map(str, ports), strict=True))
        self._environment = {
            **os.environ,
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
            "PYTHONPATH": str(ROOT),
        }
        shutil.copytree(ROOT / "examples", folder / "examples")

    def type(self, command: Command) -> None:
        """Raises AssertionError where something else happens than the guide shows."""
        line = self._as_typed(command.line)
        if " serve" in line:
            self._serve(line)
            return
        done = subprocess.run(
            line, shell=True, cwd=self._folder, env=self._environment, capture_output=True, text=True,
            check=False, timeout=300,
        )  # fmt: skip
        if not line.startswith("chatproof conform"):
            assert done.returncode == 0, f"{line}: exit code {done.returncode}: {done.stderr}"
            assert done.stdout.splitlines() == list(command.shown), f"{line}: printed {done.stdout}"
            return
        found = verdicts(tuple(done.stdout.splitlines()))
        wanted = command.verdicts if "--clause" in command.line else _all_green(found)
        assert found == wanted, f"{line}: expected {wanted}, got {done.stdout}{done.stderr}"
        assert done.returncode == int("fail" in wanted.values()), f"{line}: exit code {done.returncode}"

    def close(self) -> None:
        if self._server is not None:
            self._server.kill()
            self._server.communicate()

    def _as_typed(self, line: str) -> str:
        if line.startswith("chatproof conform") and "--clause" not in line:
            line = f"{line} {_WHOLE_SUITE}"
        for guide, free in self._ports.items():
            line = line.replace(guide, free)
        return line

    def _serve(self, line: str) -> None:
        self.close()
        self._server = subprocess.Popen(
            shlex.split(line), cwd=self._folder, env=self._environment, stdout=subprocess.PIPE, text=True
        )
        assert self._server.stdout is not None
        said = self._server.stdout.readline()
        assert said.startswith("ready"), f"{line}: said {said!r}"


@pytest.fixture
def terminal(tmp_path: Path, reserved_port: Callable[[], int]) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path, (reserved_port(), reserved_port()))
    yield terminal
    terminal.close()


@pytest.mark.parametrize("heading", CHAPTERS)
def test_what_the_guide_says_happens(heading: str, terminal: Terminal) -> None:
    for command in CHAPTERS[heading]:
        terminal.type(command)


def test_every_chapter_with_a_run_starts_its_own_server() -> None:
    for heading, typed in CHAPTERS.items():
        kinds = [command.line.split()[0] for command in typed]
        assert "chatproof" not in kinds or "python" in kinds[: kinds.index("chatproof")], heading


def _all_green(clauses: Iterable[str]) -> dict[str, str]:
    """What a whole run shows: only a crash is nothing that the suite can cause there."""
    return {clause: "not offered" if clause == "ARC.2" else "pass" for clause in clauses}
