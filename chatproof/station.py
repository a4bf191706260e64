"""A machine's part in a run that is led elsewhere: join, get the accounts, fork, wait, clean up."""

import os
import shutil
import signal
import socket
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from chatproof.door import Door, Share, digest_of
from chatproof.errors import CannotRun, CommandError, WrongUse
from chatproof.fitting import check_limits
from chatproof.limits import PORTS_A_SOURCE, open_files, raise_open_files
from chatproof.plan import Plan, Target
from chatproof.workers import await_ends, await_workers, fork_workers
from drivers.accounts import AccountsError, AccountsFile
from ledger.run_folder import RunFolder
from scenarios.machine import describe
from scenarios.outpost import FILES, Post, clock_identity

_END_S = 5.0
_ELSEWHERE = "chat+tcp://elsewhere"


class Station:
    """`run` returns when the run is over and the master has everything."""

    def __init__(
        self,
        master: tuple[str, int],
        name: str | None,
        sources: tuple[str, ...],
        accounts: str | None,
        folder: str | None,
        patience_s: float,
    ) -> None:
        self._master = master
        self._name = name or socket.gethostname()
        self._sources = sources
        self._accounts = None if accounts is None else Path(accounts)
        self._folder = folder
        self._patience_s = patience_s

    def run(self) -> None:
        """Raises CommandError, a line each, for whatever keeps this machine from its part."""
        raise_open_files()
        _check_sources(self._sources)
        folder = RunFolder(self._new_folder())
        try:
            self._take_part(folder)
        finally:
            left = _ledgers_in(folder)
            if left:
                click.echo(f"not fetched by the master, and kept: {left} files in {folder.path}", err=True)
            else:
                shutil.rmtree(folder.path)

    def _take_part(self, folder: RunFolder) -> None:
        with Door(*self._master) as door:
            share = door.join(self._asking(), self._patience_s)
            processes = len(share.processes)
            click.echo(
                f"{share.machine}: {share.connections:,} connections in {processes} "
                f"process{'es' if processes > 1 else ''}"
            )
            try:
                check_share(share, self._sources)
                accounts = self._accounts_file(door, share, folder)
                _index(accounts, folder)
            except CommandError as error:
                door.give_up(share, str(error))
                raise
        folder.create()
        posts = [
            Post(share.machine, process, folder.path, accounts, self._sources, samples=number == 0)
            for number, process in enumerate(share.processes)
        ]
        host, port = self._master
        workers = fork_workers(len(posts), share.scenario, port, host=host, posts=posts)
        try:
            failed = await_ends(workers)
        except KeyboardInterrupt:
            for pid in workers:
                os.kill(pid, signal.SIGTERM)
            await_workers(workers, _END_S)
            raise
        if failed:
            raise CannotRun(f"{failed} of {len(workers)} swarm processes did not end as they should")

    def _new_folder(self) -> Path:
        try:
            if self._folder is None:
                return Path(tempfile.mkdtemp(prefix="chatproof-"))
            Path(self._folder).mkdir(parents=True, exist_ok=True)
            return Path(tempfile.mkdtemp(prefix="chatproof-", dir=self._folder))
        except OSError as error:
            raise CannotRun(f"cannot make a folder for ledgers: {error}; choose one with --dir") from error

    def _asking(self) -> dict[str, Any]:
        return {
            "name": self._name,
            "version": version("chatproof"),
            "clock": clock_identity(),
            "described": {**describe(), "files": open_files(), "sources": len(self._sources)},
        }

    def _accounts_file(self, door: Door, share: Share, folder: RunFolder) -> Path:
        if self._accounts is None:
            path = folder.path / "accounts.csv"
            door.fetch_accounts(share, path)
            return path
        try:
            same = digest_of(self._accounts) == share.accounts_digest
        except OSError as error:
            raise WrongUse(f"--accounts {self._accounts}: {error.strerror}") from error
        if not same:
            raise WrongUse(f"{self._accounts} is not the accounts file of the run: leave --accounts out")
        return self._accounts.resolve()


def check_share(share: Share, sources: tuple[str, ...]) -> None:
    """Raises CannotRun if this machine has not the files, ports or memory for its share."""
    ports = PORTS_A_SOURCE * max(len(sources), 1) * share.endpoints
    if share.connections > ports:
        needed = -(-share.connections // (PORTS_A_SOURCE * share.endpoints))
        raise CannotRun(
            f"{share.connections:,} connections need more than {ports:,} ports: give chatproof worker "
            f"{needed} addresses of this machine with --source"
        )
    check_limits(
        Plan(
            connections=share.connections,
            processes=len(share.processes),
            rate=0.0,
            target=Target(url=_ELSEWHERE, tcp_ports=share.endpoints),
            swarm={"cohort": share.cohort, "sources": max(len(sources), 1)},
        )
    )


def _index(accounts: Path, folder: RunFolder) -> None:
    """The file is looked through once, for all processes of this machine."""
    try:
        with AccountsFile(accounts) as known:
            known.save_index(folder.accounts_index)
    except (AccountsError, OSError) as error:
        raise CannotRun(str(error)) from error


def _check_sources(sources: tuple[str, ...]) -> None:
    for source in sources:
        with socket.socket() as probe:
            try:
                probe.bind((source, 0))
            except OSError as error:
                raise WrongUse(
                    f"--source {source}: {error.strerror or error}; name IPv4 addresses of this machine"
                ) from error


def _ledgers_in(folder: RunFolder) -> int:
    """How many files the master should have fetched."""
    return sum(
        path.suffix in endings for place, endings in FILES.items() for path in (folder.path / place).glob("*")
    )
