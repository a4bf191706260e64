"""The access processes of a server: started, watched, started again."""

import logging
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import gevent
from gevent.event import Event

from reactor import sockets
from refserver.face import Service
from refserver.link import RemoteNode
from refserver.settings import Address, ServeError, ServeSettings

log = logging.getLogger(__name__)

START_S = 20.0
LEAVE_S = 12.0
START_AGAIN_S = 0.5
_LOOK_AGAIN_S = 0.01


class Workers:
    """N processes that share the ports of `addresses`. A process that dies is replaced by a new one."""

    def __init__(self, settings: ServeSettings, addresses: list[Address], service: Service) -> None:
        self._settings = settings
        self._addresses = addresses
        self._service = service
        self._running: dict[int, tuple[subprocess.Popen[bytes], RemoteNode]] = {}
        self._is_leaving = False
        self._started = 0

    @property
    def pids(self) -> list[int]:
        return [process.pid for process, _ in self._running.values()]

    @property
    def connections(self) -> int:
        """Of all processes together, as of a second ago."""
        return sum(node.connections for _, node in self._running.values())

    def start(self) -> None:
        """All processes listen. Raises ServeError when one does not in START_S."""
        ready = [self._spawn(index) for index in range(self._settings.access_processes)]
        gevent.wait(ready, timeout=START_S)
        if not all(event.is_set() for event in ready) or len(self._running) < len(ready):
            self.kill()
            raise ServeError("an access process did not start: its log says why", environment=True)

    def drain(self) -> None:
        """Every process has answered, said good-bye to its clients, and ended; the late ones are killed."""
        self._is_leaving = True
        for _, node in self._running.values():
            node.drain()
        deadline = time.monotonic() + LEAVE_S
        while self._running and time.monotonic() < deadline:
            gevent.sleep(_LOOK_AGAIN_S)
        self.kill()

    def kill(self) -> None:
        """Whatever is left ends now."""
        self._is_leaving = True
        for process, node in self._running.values():
            process.kill()
            process.wait()
            node.close()
        self._running.clear()

    def _spawn(self, index: int) -> Event:
        self._started += 1
        name = f"access-{self._started}"
        ours, theirs = socket.socketpair()
        listeners = [
            (each.scheme, sockets.listen(each.host, each.port, reuse_port=True)) for each in self._addresses
        ]
        command = [
            sys.executable, "-m", "refserver.access",
            "--name", name,
            "--parent", str(os.getpid()),
            "--link", str(theirs.fileno()),
            "--data", str(self._settings.data_dir),
            "--heartbeat", str(self._settings.default_heartbeat_s),
            *(f"--listener={scheme}:{listener.fileno()}" for scheme, listener in listeners),
            *self._certificate(),
        ]  # fmt: skip
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=sys.stderr.fileno(),
                pass_fds=[theirs.fileno(), *(listener.fileno() for _, listener in listeners)],
                env=environment_with_this_code(),
            )
        finally:
            theirs.close()
            for _, listener in listeners:
                listener.close()
        ready = Event()
        node = RemoteNode(name, ours, self._service, ready.set, lambda: self._ended(index, ready))
        self._running[index] = (process, node)
        return ready

    def _certificate(self) -> list[str]:
        if self._settings.tls_cert is None or self._settings.tls_key is None:
            return []
        return ["--tls-cert", str(self._settings.tls_cert), "--tls-key", str(self._settings.tls_key)]

    def _ended(self, index: int, ready: Event) -> None:
        process, node = self._running.pop(index)
        ready.set()
        gevent.spawn(self._bury, process, node.name, index)

    def _bury(self, process: "subprocess.Popen[bytes]", name: str, index: int) -> None:
        while process.poll() is None:
            gevent.sleep(_LOOK_AGAIN_S)
        if not self._is_leaving:
            log.error("%s (pid %d) ended with %d; starting another", name, process.pid, process.returncode)
            gevent.sleep(START_AGAIN_S)
            if not self._is_leaving:
                self._spawn(index)


def environment_with_this_code() -> dict[str, str]:
    """The environment for a child that is to import the same packages as this process."""
    root = str(Path(__file__).resolve().parent.parent)
    known = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{known}" if known else root}
