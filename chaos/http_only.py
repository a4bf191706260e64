"""tinyproxy between clients and a server: requests in plain HTTP pass, and nothing else does."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack

from chaos.errors import ChaosError
from chaos.packets.programs import program
from reactor import sockets

HOST = "127.0.0.1"
_START_S = 30.0
_LOOK_AGAIN_S = 0.02
_MOST_CLIENTS = 4096
# No CONNECT (a single port 0), and no upgrade: what `Connection` names is never passed on.
_CONFIGURATION = """\
Port {port}
Listen {host}
MaxClients {most}
Timeout 600
LogLevel Error
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
    """Takes requests for `upstream` on a free port from its making until `close`. Raises ChaosError.

    Its configuration and what it says are in memory only: whoever is killed leaves no file behind.
    """

    def __init__(self, upstream: str, host: str = HOST, *, port: int = 0, within: Sequence[str] = ()) -> None:
        """`port`: 0 for a free one. `within`: words before its command, which take it to another namespace,
        where `host` is an address; it has to be reachable from here."""
        tinyproxy = program("tinyproxy", "tinyproxy")
        log = os.memfd_create("said")
        with ExitStack() as stack:
            stack.callback(os.close, log)
            port = port or int(stack.enter_context(sockets.reserve(host)).getsockname()[1])
            configuration = _CONFIGURATION.format(port=port, host=host, most=_MOST_CLIENTS, upstream=upstream)
            self._process = _start([*within, tinyproxy], configuration, log)
            self.address, self.pid = f"{host}:{port}", self._process.pid
            if _listens(self._process, host, port):
                return
            self.close()
            said = os.pread(log, 65536, 0).decode("utf-8", "replace").strip()
        last = said.splitlines()[-1] if said else "it said nothing"
        raise ChaosError(f"tinyproxy did not start: {last}")

    def close(self) -> None:
        """Its connections are closed. Twice is allowed."""
        if self._process.returncode is None:
            self._process.kill()
            self._process.wait()


def _start(command: Sequence[str], configuration: str, log: int) -> "subprocess.Popen[bytes]":
    told = os.memfd_create("tinyproxy.conf")
    try:
        os.write(told, configuration.encode())
        return subprocess.Popen(
            [*_UNTIL_PARENT_ENDS, *command, "-d", "-c", f"/proc/self/fd/{told}"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[told],
            start_new_session=True,
        )
    finally:
        os.close(told)


def _listens(process: "subprocess.Popen[bytes]", host: str, port: int) -> bool:
    """Whether it does before long."""
    until = time.monotonic() + _START_S
    while process.poll() is None and time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex((host, port)) == 0:
                return True
        time.sleep(_LOOK_AGAIN_S)
    return False
