"""Servers that others wrote, started for the occasion: `--start NAME`.

A starter is a module of `chatproof.starters` with a STARTER: it writes a configuration made for testing into
a folder, and says with which words the program is run there. Without privileges, on ports of 127.0.0.1 that
are kept for it: addresses and data stay whatever happens to the process. At the latest it ends with the one
that started it, also when that is killed.
"""

import importlib
import os
import pkgutil
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from chatproof import guard, starters
from chatproof.errors import CannotRun, WrongUse
from reactor import sockets

HOST = "127.0.0.1"
START_S = 60.0
STOP_S = 20.0
_LOOK_S = 0.02
_MORE_PATHS = ("/usr/sbin", "/usr/local/sbin", "/sbin")
"""Where Debian has servers, and the path of a user often does not lead."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whom the server lets in, with what."""

    user: str
    secret: str


@dataclass(frozen=True, slots=True)
class Configured:
    """What a starter has prepared. `urls`: of targets, the plainest first; `words`: the program and its
    arguments; `environment`: beyond ours."""

    urls: Sequence[str]
    words: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Starter:
    """`configure(folder, accounts, ports)` writes what the program needs into the folder, which is empty;
    raises CannotRun. `ports`: how many it needs; all of them take connections once it is ready. `program` is
    looked for, `package` is where Debian has it. `dialect`: the one it speaks."""

    name: str
    dialect: str
    program: str
    package: str
    ports: int
    configure: Callable[[Path, Sequence[Account], Sequence[int]], Configured]

    @property
    def path(self) -> str:
        """Of the program. Raises CannotRun where there is none."""
        return found(self.program, self.package)


class Started:
    """A server that runs. `urls`: the targets; `accounts`: a CSV file of who may log in; `log`: what it says.

    After `stop` or `kill` it can be started again, with the same addresses and the same data.
    """

    def __init__(self, starter: Starter, folder: Path, users: int) -> None:
        """Configured, and not started yet. Raises CannotRun."""
        self.name = starter.name
        self.folder = folder
        self.accounts = folder / "accounts.csv"
        self.log = folder / "server.log"
        folder.mkdir(parents=True, exist_ok=True)
        mark = secrets.token_hex(2)
        known = [Account(f"u{number}-{mark}", secrets.token_hex(8)) for number in range(users)]
        lines = [f"{account.user},{account.secret}" for account in known]
        self.accounts.write_text("\n".join(["user,token", *lines]) + "\n")
        # Found before anything is written for it.
        _ = starter.path
        self._held = [sockets.reserve(HOST) for _ in range(starter.ports)]
        self._ports = [int(each.getsockname()[1]) for each in self._held]
        self._configured = starter.configure(folder, known, self._ports)
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def urls(self) -> tuple[str, ...]:
        return tuple(self._configured.urls)

    @property
    def pids(self) -> list[int]:
        """Of the process that runs; none if it does not."""
        return [self._process.pid] if self._process is not None and self.is_running else []

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Its ports take connections when this returns. Raises CannotRun."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                list(self._configured.words),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self._configured.environment},
                # Ctrl-C at a terminal is for whoever started it, who then decides.
                start_new_session=True,
            )
        self._guard = _guarded(self._process)
        deadline = time.monotonic() + START_S
        for port in self._ports:
            while not _takes_connections(port):
                if not self.is_running or time.monotonic() > deadline:
                    self.kill()
                    raise CannotRun(f"{self.name} did not start: {self._last_words()}")
                time.sleep(_LOOK_S)

    def stop(self) -> None:
        """SIGTERM; killed if it takes longer than STOP_S."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL; it is gone when this returns."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(number)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if self._guard is not None:
            self._guard.wait()

    def _last_words(self) -> str:
        said = self.log.read_text(errors="replace").strip().splitlines()
        return said[-1] if said else f"it wrote nothing to {self.log}"


def start(name: str, folder: Path, users: int) -> Started:
    """The server of that name runs in `folder`, with so many accounts. Raises WrongUse, CannotRun."""
    started = Started(find(name), folder, users)
    started.start()
    return started


def find(name: str) -> Starter:
    """Raises WrongUse with the names that there are."""
    known = all_starters()
    if name not in known:
        raise WrongUse(f"--start {name!r}: there are {', '.join(known)}")
    return known[name]


@cache
def all_starters() -> Mapping[str, Starter]:
    """By name."""
    modules = (
        importlib.import_module(f"{starters.__name__}.{info.name}")
        for info in pkgutil.iter_modules(starters.__path__)
    )
    return {module.STARTER.name: module.STARTER for module in modules}


def found(program: str, package: str) -> str:
    """Where a program is. Raises CannotRun with the package that has it."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *_MORE_PATHS])
    place = shutil.which(program, path=path)
    if place is None:
        raise CannotRun(f"{program} is not installed; on Debian: apt-get install {package}")
    return place


def certificate(folder: Path) -> tuple[Path, Path, Path]:
    """Authority, chain and key for HOST and localhost, as PEM files in the folder."""
    import trustme

    authority = trustme.CA()
    issued = authority.issue_cert(HOST, "localhost")
    ca, chain, key = folder / "ca.pem", folder / "server.pem", folder / "server.key"
    authority.cert_pem.write_to_path(ca)
    chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    key.touch(mode=0o600)
    issued.private_key_pem.write_to_path(key)
    return ca, chain, key


def _guarded(server: "subprocess.Popen[bytes]") -> "subprocess.Popen[bytes]":
    """Who ends the server if this process does not."""
    both = (os.pidfd_open(os.getpid()), os.pidfd_open(server.pid))
    try:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", guard.__file__, *map(str, both)],
            pass_fds=both,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    finally:
        for each in both:
            os.close(each)


def _takes_connections(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((HOST, port)) == 0
