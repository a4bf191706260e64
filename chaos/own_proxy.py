"""A Toxiproxy of our own in a process of its own, on a free port of the loopback network."""

import os
import select
import subprocess
import sys
import time

from chaos.errors import ToxiproxyError

_START_S = 60.0
_STOP_S = 20.0


class OwnToxiproxy:
    """Answers at `url` once made, and ends with `stop` or with the process that made it."""

    def __init__(self, seed: int, *, keep_sources: bool = False) -> None:
        """`seed`: of what its toxics choose. `keep_sources`: it dials from the address of each client, so
        that what is behind it can tell clients apart, too. Raises ToxiproxyError when it does not start."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "chatproof", "toxiproxy", "--host", "127.0.0.1", "--port", "0",
             "--seed", str(seed), "--parent", str(os.getpid()),
             *(["--keep-sources"] if keep_sources else [])],
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        self.pid = self._process.pid
        self.url = self._address()

    def stop(self) -> None:
        """Its process has ended, and with it every connection through it."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _address(self) -> str:
        assert self._process.stdout is not None
        until = time.monotonic() + _START_S
        said = b""
        while not said.endswith(b"\n"):
            ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, until - time.monotonic()))
            more = os.read(self._process.stdout.fileno(), 4096) if ready else b""
            if not more:
                self._process.kill()
                self.stop()
                raise ToxiproxyError("the fault proxy did not start; try: chatproof toxiproxy")
            said += more
        return said.decode().split()[-1]
