"""tinyproxy between clients and a server: requests in plain HTTP pass, and nothing else does."""

import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from chaos.errors import ChaosError
from chaos.packets.programs import program

HOST = "127.0.0.1"
_START_S = 10.0
_LOOK_AGAIN_S = 0.02
_TRIES = 5
_MOST_CLIENTS = 4096
# No CONNECT (a single port 0), and no upgrade: what `Connection` names is never passed on.
_CONFIGURATION = """\
Port {port}
Listen {host}
MaxClients {most}
Timeout 600
LogLevel Critical
LogFile "{log}"
DisableViaHeader Yes
ConnectPort 0
ReversePath "/" "http://{upstream}/"
ReverseOnly Yes
"""
# It must not outlive a killed run: the kernel kills it with the one that started it.
_PROGRAM = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 9)
os.execv(sys.argv[1], sys.argv[1:])
"""
_UNTIL_PARENT_ENDS = (sys.executable, "-I", "-S", "-c", _PROGRAM)


class HttpOnly:
    """Takes requests for `upstream` on a free port from its making until `close`. Raises ChaosError."""

    def __init__(self, upstream: str, host: str = HOST) -> None:
        tinyproxy = program("tinyproxy", "tinyproxy")
        self._folder = Path(tempfile.mkdtemp(prefix="chatproof-tinyproxy-"))
        self._process: subprocess.Popen[bytes] | None = None
        for _ in range(_TRIES):
            port = _free_port(host)
            configuration = self._folder / "tinyproxy.conf"
            configuration.write_text(
                _CONFIGURATION.format(
                    port=port, host=host, most=_MOST_CLIENTS, log=self._folder / "log", upstream=upstream
                )
            )
            self._process = subprocess.Popen(
                [*_UNTIL_PARENT_ENDS, tinyproxy, "-d", "-c", str(configuration)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            if self._listens(host, port):
                self.address = f"{host}:{port}"
                self.pid = self._process.pid
                return
            self._kill()
        log = self._folder / "log"
        said = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
        self.close()
        raise ChaosError(f"tinyproxy did not start: {said[-1] if said else 'it said nothing'}")

    def close(self) -> None:
        """Its connections are closed. Twice is allowed."""
        self._kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            self._process.wait()

    def _listens(self, host: str, port: int) -> bool:
        """Whether it does before long; somebody else may have taken the port meanwhile."""
        assert self._process is not None
        until = time.monotonic() + _START_S
        while self._process.poll() is None and time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex((host, port)) == 0:
                    return True
            time.sleep(_LOOK_AGAIN_S)
        return False


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
