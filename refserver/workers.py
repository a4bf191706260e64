"""The access processes of a server: started, watched, started again."""

import json
import logging
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import gevent
from gevent.event import Event

from reactor import sockets
from refserver.access.counts import Counts
from refserver.face import Service
from refserver.link import Links, RemoteNode
from refserver.settings import Address, ServeError, ServeSettings

log = logging.getLogger(__name__)

START_S = 60.0
LEAVE_S = 12.0
START_AGAIN_S = 0.5
_LOOK_AGAIN_S = 0.01
_LOOKS_A_PACE = 8
"""So often business looks at what comes while each of its many access processes looks once: what several of
them say is committed together, and adds little to the wait."""


class Workers:
    """N processes that share the ports of `addresses`. A process that dies is replaced by a new one."""

    def __init__(self, settings: ServeSettings, addresses: list[Address], service: Service) -> None:
        self._settings = settings
        self._addresses = addresses
        self._service = service
        self._forker: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._running: dict[int, _Worker] = {}
        self._links = Links(pace_s=settings.pace_s / _LOOKS_A_PACE)
        self._is_leaving = False
        self._started = 0
        self._ended_counts = Counts()

    @property
    def counts(self) -> Counts:
        """What all processes have done, those that ended too, as of a second ago."""
        return sum((worker.node.counts for worker in self._running.values()), self._ended_counts)

    @property
    def named_pids(self) -> dict[str, int]:
        """Of the processes that listen."""
        return {worker.node.name: worker.pid for worker in self._running.values() if worker.pid}

    @property
    def pids(self) -> list[int]:
        """Of the processes that listen, and of the one that they come from."""
        pids = [] if self._forker is None else [self._forker.pid]
        return [worker.pid for worker in self._running.values() if worker.pid] + pids

    def held_at(self, address: Address) -> int:
        """How many connections came in there, of all processes together, as of a second ago."""
        place = self._addresses.index(address)
        return sum(worker.node.held[place] for worker in self._running.values() if worker.node.held)

    def start(self) -> None:
        """All processes listen. Raises ServeError when one does not in START_S."""
        self._start_forker()
        ready = [self._spawn(index) for index in range(self._settings.access_processes)]
        gevent.wait(ready, timeout=START_S)
        if not all(event.is_set() for event in ready) or len(self._running) < len(ready):
            self.kill()
            raise ServeError("an access process did not start: its log says why", environment=True)

    def drain(self) -> None:
        """Every process has answered, said good-bye to its clients, and ended; the late ones are killed."""
        self._is_leaving = True
        for worker in self._running.values():
            worker.node.drain()
        deadline = time.monotonic() + LEAVE_S
        while self._running and time.monotonic() < deadline:
            gevent.sleep(_LOOK_AGAIN_S)
        self.kill()

    def kill(self) -> None:
        """Whatever is left ends now."""
        self._is_leaving = True
        if self._forker is not None:
            # Its children are killed with it, see `refserver.lifeline`.
            self._forker.kill()
            self._forker.wait()
        if self._control is not None:
            self._control.close()
        for worker in self._running.values():
            worker.node.close()
        self._running.clear()
        self._links.close()

    def _start_forker(self) -> None:
        if self._control is not None:
            self._control.close()
        # Packets keep their bounds, so that each carries the descriptors of one request.
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [
            sys.executable, "-m", "refserver.access",
            "--parent", str(os.getpid()),
            "--control", str(theirs.fileno()),
            "--data", str(self._settings.data_dir),
            "--heartbeat", str(self._settings.default_heartbeat_s),
            "--pace", str(self._settings.pace_s),
            *(["--disturbances", str(self._settings.disturbances)] if self._settings.disturbances else []),
            *self._certificate(),
        ]  # fmt: skip
        with theirs:
            self._forker = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=sys.stderr.fileno(),
                pass_fds=[theirs.fileno()],
                env=environment_with_this_code(),
            )

    def _spawn(self, index: int) -> Event:
        assert self._control is not None
        self._started += 1
        name = f"access-{self._started}"
        ours, theirs = socket.socketpair()
        listeners = [
            (each.scheme, sockets.listen(each.host, each.port, reuse_port=True)) for each in self._addresses
        ]
        asked = {"name": name, "schemes": " ".join(scheme for scheme, _ in listeners)}
        descriptors = [theirs.fileno(), *(listener.fileno() for _, listener in listeners)]
        try:
            socket.send_fds(self._control, [json.dumps(asked).encode()], descriptors)
        except OSError as error:
            raise ServeError(f"access processes cannot be started: {error.strerror or error}") from error
        finally:
            theirs.close()
            for _, listener in listeners:
                listener.close()
        ready = Event()

        def listens(pid: int) -> None:
            worker.pid = pid
            ready.set()

        node = RemoteNode(name, ours, self._service, listens, lambda: self._ended(index, ready), self._links)
        worker = self._running[index] = _Worker(node)
        return ready

    def _certificate(self) -> list[str]:
        if self._settings.tls_cert is None or self._settings.tls_key is None:
            return []
        return ["--tls-cert", str(self._settings.tls_cert), "--tls-key", str(self._settings.tls_key)]

    def _ended(self, index: int, ready: Event) -> None:
        worker = self._running.pop(index)
        self._ended_counts += worker.node.counts
        ready.set()
        if not self._is_leaving:
            log.error("%s (pid %s) ended; starting another", worker.node.name, worker.pid)
            gevent.spawn_later(START_AGAIN_S, self._start_again, index)

    def _start_again(self, index: int) -> None:
        if self._is_leaving:
            return
        try:
            if self._forker is None or self._forker.poll() is not None:
                self._start_forker()
            self._spawn(index)
        except ServeError as error:
            log.warning("%s; trying again", error)
            gevent.spawn_later(START_AGAIN_S, self._start_again, index)


@dataclass(slots=True)
class _Worker:
    """`pid` is 0 until it listens."""

    node: RemoteNode
    pid: int = 0


def environment_with_this_code() -> dict[str, str]:
    """The environment for a child that is to import the same packages as this process."""
    root = str(Path(__file__).resolve().parent.parent)
    known = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{known}" if known else root}
