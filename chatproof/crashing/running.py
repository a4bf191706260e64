"""From what was asked on the command line to an exit code."""

import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec

from chatproof.crashing import table
from chatproof.crashing.rounds import Settings, run
from chatproof.errors import CannotRun, WrongUse
from conformance.mutating.mutant import UnknownMutant
from conformance.mutating.server import start_instead
from ledger.errors import LedgerError
from refserver.accounts import AccountsError
from refserver.process import ServerFailed

_SEEDS = 1 << 31


@dataclass(frozen=True, slots=True)
class Wish:
    """The options of the command."""

    rounds: int
    seed: int | None
    access_processes: int
    data: Path | None
    restart_limit_s: float
    json: Path | None
    mutant: str | None


def crash(wish: Wish) -> int:
    """0: all kept; 1: something violated; 3: undecided. Raises WrongUse, CannotRun."""
    if wish.mutant is not None:
        try:
            start_instead(wish.mutant)
        except UnknownMutant as error:
            raise WrongUse(str(error)) from error
    began = time.monotonic()
    with _folder(wish.data) as folder:
        settings = Settings(
            wish.rounds,
            random.randrange(_SEEDS) if wish.seed is None else wish.seed,
            wish.access_processes,
            folder / "data",
            folder,
            wish.restart_limit_s,
        )
        try:
            outcome = run(settings, lambda one: click.echo(table.line(one)))
        except (ServerFailed, AccountsError, LedgerError, OSError) as error:
            raise CannotRun(str(error)) from error
    told = table.figures(outcome, settings, time.monotonic() - began)
    click.echo(table.closing(told))
    if wish.json is not None:
        _save(wish.json, told)
    return 1 if told["violations"] else 3 if told["undecided"] else 0


@contextmanager
def _folder(wanted: Path | None) -> Iterator[Path]:
    if wanted is None:
        with tempfile.TemporaryDirectory(prefix="chatproof-crashes-") as folder:
            yield Path(folder)
        return
    try:
        wanted.mkdir(parents=True, exist_ok=True)
        if any(wanted.iterdir()):
            raise WrongUse(f"--data {wanted}: the folder is not empty; name a new one")
    except OSError as error:
        raise CannotRun(f"--data {wanted}: {error.strerror}; name another folder") from error
    yield wanted


def _save(path: Path, told: dict[str, object]) -> None:
    try:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n")
    except OSError as error:
        raise CannotRun(f"--json {path}: {error.strerror}; name a file that can be written") from error
