"""A server that breaks one promise, once in a thousand messages, is caught, and the message is named."""

import json
import re
import shutil
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from broken_servers import BREAKAGES
from command_line import Ended, chatproof

_AT_ONCE = 4
_BAD = ("lost", "duplicated", "altered", "unexpected", "version_holes", "versions_reused")
_MESSAGE = "message {n} of {sender} in {conversation} (sequence {sequence}, version "


@dataclass(frozen=True)
class Blame:
    """`checks` that have to fail, and no others; the `figures` of completeness that are not 0, and no others;
    the beginnings of what witnesses say: each has to be there, and there are no others."""

    checks: set[str]
    figures: set[str]
    witnesses: tuple[str, ...]


BLAME = {
    "loses": Blame({"completeness"}, {"lost"}, (_MESSAGE,)),
    "leaves_a_hole": Blame(
        {"completeness"},
        {"lost", "version_holes"},
        (_MESSAGE, "{recipient}/d0 settled without version {version} of its inbox"),
    ),
    # The server counts the copy as unread, too.
    "repeats": Blame({"completeness", "unread"}, {"duplicated"}, (_MESSAGE, "{recipient}/d0 was told ")),
    "swaps": Blame(
        {"ordering"},
        set(),
        ("{recipient}/d0 in {conversation}: sequence {sequence} was shown after {other}",),
    ),
    "counts_one_too_many": Blame({"unread"}, set(), ("{recipient}/d0 was told ",)),
    "alters_the_end": Blame({"completeness"}, {"altered"}, (_MESSAGE,)),
    "alters_the_beginning": Blame({"completeness"}, {"altered"}, (_MESSAGE,)),
    "gives_to_a_stranger": Blame({"completeness"}, {"unexpected"}, (_MESSAGE,)),
}


@dataclass(frozen=True)
class Tried:
    ended: Ended
    summary: dict[str, Any]
    evidence: dict[str, Any]

    @property
    def witnesses(self) -> list[str]:
        """Of failed checks; a second device of the same user says the same as the first."""
        checks = self.summary["checks"].values()
        failed = [check for check in checks if check["verdict"] == "fail"]
        return [each["text"].replace("/d1", "/d0", 1) if each["text"][0] == "u" else each["text"]
                for check in failed for each in check["witnesses"]]  # fmt: skip


@pytest.fixture(scope="module")
def tried(furnished: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Future[Tried]]:
    """What a run says of each server; they are tried side by side, because most of it is waiting."""
    folder = tmp_path_factory.mktemp("broken")
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return {name: pool.submit(_try, name, furnished, folder / name) for name in BREAKAGES}


def _try(name: str, furnished: Path, folder: Path) -> Tried:
    shutil.copytree(furnished, folder)
    evidence, log = folder / "evidence.json", folder / "server.log"
    program = str(Path(__file__).with_name("broken_servers.py"))
    command = [sys.executable, program, name, str(evidence), "--listen", "tcp://127.0.0.1:0"]
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [*command, "--data", str(folder / "data")], stdout=subprocess.PIPE, stderr=errors, text=True
        ) as server,
    ):
        try:
            assert server.stdout is not None
            found = re.search(r"tcp://\S+", server.stdout.readline())
            assert found is not None, log.read_text()[-500:]
            ended = chatproof(
                "run", "--target", f"chat+{found[0]}", "--accounts", "accounts.csv", "--out", "run",
                "--connections", "20", "--rate", "400", "--duration", "3s", "--ramp", "1s", "--json",
                "--set", "cohort=20", "--set", "read_share=0", "--set", "away_share=0",
                cwd=folder,
            )  # fmt: skip
        finally:
            server.kill()
    assert evidence.exists(), f"nothing was broken: {ended.err}{log.read_text()[-500:]}"
    return Tried(ended, json.loads(ended.out), json.loads(evidence.read_text()))


@pytest.mark.parametrize("name", BREAKAGES)
def test_one_broken_message_in_a_thousand_fails_the_run_and_is_named(
    name: str, tried: dict[str, Future[Tried]]
) -> None:
    found, blame = tried[name].result(), BLAME[name]
    checks = found.summary["checks"]
    assert checks["completeness"]["sent"] > 1000
    assert {each for each, check in checks.items() if check["verdict"] == "fail"} == blame.checks
    assert {each for each in _BAD if checks["completeness"][each]} == blame.figures
    expected = [each.format(**found.evidence) for each in blame.witnesses]
    assert {_start_of(text, expected) for text in found.witnesses} == set(expected)
    assert found.summary["verdict"] == "fail"
    assert (found.ended.code, found.ended.left) == (1, ())


def _start_of(text: str, expected: list[str]) -> str:
    return next((start for start in expected if text.startswith(start)), text)


def test_a_count_that_is_one_too_high_is_told_with_the_right_one(tried: dict[str, Future[Tried]]) -> None:
    found = tried["counts_one_too_many"].result()
    said = re.fullmatch(r"(\S+) was told (\d+) unread in (\S+), expected (\d+).*", "".join(found.witnesses))
    assert said is not None
    assert said[3] == found.evidence["conversation"]
    assert int(said[2]) == int(said[4]) + 1


def test_a_stranger_is_named(tried: dict[str, Future[Tried]]) -> None:
    found = tried["gives_to_a_stranger"].result()
    assert f"not to {found.evidence['stranger']}/" in "".join(found.witnesses)
