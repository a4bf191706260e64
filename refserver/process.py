"""A reference server as a process of its own: how runners, conformance and tests start one."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import psutil

from protocol.limits import DEFAULT_HEARTBEAT_S
from refserver.business.limiting import RateLimit
from refserver.disturbances import Disturbances
from refserver.workers import environment_with_this_code

START_S = 90.0
STOP_S = 45.0
_LOOK_AGAIN_S = 0.01
_LINE = re.compile(r"listening on (?P<urls>.*) \(data: .*, pids: (?P<pids>[\d,]+)\)$")


class ServerFailed(Exception):
    """The server did not start; the message ends with the last of what it wrote."""


class ServerProcess:
    """`start()` returns when it listens on free ports of 127.0.0.1. After `stop()` or `kill()` it can be
    started again and has the same addresses and the same data. What it logs is in `data_dir/server.log`.

    `carriers`: schemes beyond tcp and http, each on a port of its own; `certificate`: the PEM files of chain
    and key for those that show one. Without `tcp_ports` and `http`, nothing plain but what `carriers` has.
    `urls` has every address, by scheme. `rate_limit`: what each user may send. `listen`: these addresses and
    no others. `resolve`: what HTTPDNS is to know, NAME=ADDRESS,…
    `disturbances`: what it is to suffer can be set while it runs, by the attribute of that name.
    `within`: words before those of its command, such as enter a network namespace and become what follows.
    """

    def __init__(
        self,
        data_dir: str | os.PathLike[str],
        tcp_ports: int = 1,
        http: bool = True,
        access_processes: int = 0,
        *,
        pace_s: float = 0.0,
        within: Sequence[str] = (),
        friends_only: bool = True,
        default_heartbeat_s: int = DEFAULT_HEARTBEAT_S,
        carriers: Sequence[str] = (),
        certificate: tuple[Path, Path] | None = None,
        rate_limit: RateLimit | None = None,
        listen: Sequence[str] | None = None,
        resolve: Sequence[str] = (),
        disturbances: bool = False,
    ) -> None:
        self.data_dir = Path(data_dir)
        self.log_path = self.data_dir / "server.log"
        self.tcp_urls: list[str] = []
        self.http_url: str | None = None
        self.https_url: str | None = None
        self.urls: dict[str, list[str]] = {}
        self.pids: list[int] = []
        self._within = tuple(within)
        schemes = ["tcp"] * tcp_ports + ["http"] * http + list(carriers)
        self._listen = [f"{scheme}://127.0.0.1:0" for scheme in schemes] if listen is None else list(listen)
        self._options = [
            "--data", str(self.data_dir),
            "--access-processes", str(access_processes),
            "--pace", str(pace_s),
            "--heartbeat", str(default_heartbeat_s),
            *([] if friends_only else ["--strangers"]),
            *(word for entry in resolve for word in ("--resolve", entry)),
            *(_limit_options(rate_limit) if rate_limit is not None else []),
            *(["--tls-cert", str(certificate[0]), "--tls-key", str(certificate[1])] if certificate else []),
        ]  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None
        self.disturbances: Disturbances | None = None
        if disturbances:
            # Beside the data, which may be on a file system that only the server sees.
            path = self.data_dir.with_name(f"{self.data_dir.name}.disturbances")
            path.parent.mkdir(parents=True, exist_ok=True)
            self.disturbances = Disturbances.new(path)
            self._options += ["--disturbances", str(path)]

    @property
    def pid(self) -> int:
        """The process that holds business; signals go there."""
        return self.pids[0]

    def start(self) -> Self:
        """The server ends at the latest with the thread that called this. Raises ServerFailed."""
        if self._process is not None and self._process.poll() is None:
            raise ServerFailed(f"the server runs already, as pid {self._process.pid}")
        self.data_dir.mkdir(parents=True, exist_ok=True)
        listen = [word for url in self._listen for word in ("--listen", url)]
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._within, sys.executable, "-m", "refserver", *listen, *self._options,
                 "--parent", str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment_with_this_code(),
                # Ctrl-C at a terminal is for whoever started the server, who then decides.
                start_new_session=True,
            )  # fmt: skip
        self._understand(self._first_line(self._process))
        return self

    def _first_line(self, process: "subprocess.Popen[bytes]") -> str:
        assert process.stdout is not None
        deadline = time.monotonic() + START_S
        said = b""
        while not said.endswith(b"\n"):
            ready, _, _ = select.select([process.stdout], [], [], max(deadline - time.monotonic(), 0))
            more = os.read(process.stdout.fileno(), 4096) if ready else b""
            if not more:
                process.kill()
                process.wait()
                process.stdout.close()
                raise ServerFailed(f"the server did not start: {self._last_words()}")
            said += more
        return said.decode().strip()

    def _last_words(self) -> str:
        written = self.log_path.read_text(errors="replace").strip().splitlines()
        return written[-1] if written else f"it wrote nothing to {self.log_path}"

    def _understand(self, line: str) -> None:
        found = _LINE.search(line)
        if found is None:
            self.kill()
            raise ServerFailed(f"the server said something else than expected: {line}")
        urls = found["urls"].split()
        self._listen = urls
        self.urls = {}
        for url in urls:
            self.urls.setdefault(url.partition(":")[0], []).append(url)
        self.tcp_urls = self.urls.get("tcp", [])
        self.http_url = next(iter(self.urls.get("http", [])), None)
        self.https_url = next(iter(self.urls.get("https", [])), None)
        self.pids = [int(pid) for pid in found["pids"].split(",")]

    def stop(self) -> int:
        """SIGTERM, so that it drains; its exit code. Killed if that takes longer than STOP_S."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """SIGKILL, to the access processes as well; nothing is left when this returns. Its exit code, −9."""
        return self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> int:
        process = self._process
        if process is None:
            raise ServerFailed("the server was never started")
        if process.poll() is None:
            process.send_signal(number)
        try:
            code = process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        if process.stdout is not None:
            process.stdout.close()
        # The access processes end with their parent, but a moment later, and they hold its ports.
        deadline = time.monotonic() + STOP_S
        while any(map(_is_running, self.pids)) and time.monotonic() < deadline:
            time.sleep(_LOOK_AGAIN_S)
        return code

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _limit_options(limit: RateLimit) -> list[str]:
    return ["--rate-limit", repr(limit.per_second), "--rate-burst", str(limit.burst)]


def _is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
