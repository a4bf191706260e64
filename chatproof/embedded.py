"""The reference server that a run starts for itself, and what faults can do to its processes."""

import os
import random
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import gevent
import psutil

from chaos.burden import Burden
from chaos.errors import ChaosError
from chaos.volume import Volume
from chatproof.errors import CannotRun
from refserver.disturbances import Disturbances
from refserver.process import ServerFailed, ServerProcess

_REPLACED_S = 2.0
SEAM_LAYER, STORE_LAYER, VOLUME_LAYER = "the server itself", "store", "tmpfs"


class EmbeddedServer:
    """A server that the run has started, with disturbances. Implements chaos.levers.ServerLever.

    `dice` chooses which of its processes is killed or paused; `volume`: what its data is on, if that is a
    file system of its own, or why it is not.
    """

    def __init__(self, process: ServerProcess, dice: random.Random, volume: Volume | str = "") -> None:
        self._process = process
        self._dice = dice
        self._volume = volume if isinstance(volume, Volume) else None
        self._store_layer = f"{STORE_LAYER} ({volume})" if volume and self._volume is None else STORE_LAYER
        self._paused: Counter[int] = Counter()
        self._stopped: dict[int, psutil.Process] = {}
        self._burdens: list[Burden] = []
        self.pids = list(process.pids)

    def kill(self, which: str) -> list[int]:
        """`access`: one of the processes that hold connections, which the server replaces by itself;
        `server`: all of them, and it is started again before this returns."""
        if which == "server":
            killed = self.pids
            self._process.kill()
            try:
                self._process.start()
            except ServerFailed as error:
                raise ChaosError(f"kill: {error}") from error
            self.pids = list(self._process.pids)
            return killed
        pid = self._one_of_access("kill", which)
        os.kill(pid, signal.SIGKILL)
        gevent.spawn_later(_REPLACED_S, self._look_again)
        return [pid]

    def pause(self, which: str) -> list[int]:
        """`access`: one of the processes that hold connections; `server`: all of it."""
        pids = self._all() if which == "server" else [self._one_of_access("pause", which)]
        for pid in pids:
            self._paused[pid] += 1
            if self._paused[pid] == 1:
                try:
                    # It knows when the process began: whoever gets its number later is left alone.
                    self._stopped[pid] = psutil.Process(pid)
                    self._stopped[pid].suspend()
                except psutil.NoSuchProcess:
                    self._stopped.pop(pid, None)
        return pids

    def resume(self, pids: Sequence[int]) -> None:
        """See chaos.levers.ServerLever."""
        for pid in pids:
            self._paused[pid] -= 1
            stopped = self._stopped.pop(pid, None) if self._paused[pid] < 1 else None
            if stopped is not None and stopped.is_running():
                try:
                    stopped.resume()
                except psutil.NoSuchProcess:
                    continue  # it was killed in this very moment

    def go_on(self) -> None:
        """Nobody stands still any more."""
        self.resume(list(self._paused.elements()))

    def lay_on(self, burden: Burden) -> str:
        """See chaos.levers.ServerLever."""
        self._burdens.append(burden)
        self._bear()
        if not burden.disk_is_full:
            return SEAM_LAYER
        return self._store_layer if self._volume is None else VOLUME_LAYER

    def take_off(self, burden: Burden) -> None:
        """See chaos.levers.ServerLever."""
        if burden in self._burdens:
            self._burdens.remove(burden)
            self._bear()

    def _bear(self) -> None:
        suffers = self._process.disturbances
        assert isinstance(suffers, Disturbances)
        suffers.commit_delay_s = sum(each.commit_delay_s for each in self._burdens)
        suffers.clock_ahead_s = sum(each.clock_ahead_s for each in self._burdens)
        is_full = any(each.disk_is_full for each in self._burdens)
        if self._volume is None:
            suffers.disk_is_full = is_full
        elif is_full:
            self._volume.fill()
        else:
            self._volume.empty()

    def _one_of_access(self, fault: str, which: str) -> int:
        access = self._access()
        if which != "access" or not access:
            has = "access, server" if access else "server (its access is in the same process)"
            raise ChaosError(f"{fault}: the server has no {which!r}; there are {has}")
        return self._dice.choice(access)

    def _access(self) -> list[int]:
        try:
            forkers = psutil.Process(self._process.pid).children()
            return [each.pid for forker in forkers for each in forker.children()]
        except psutil.NoSuchProcess:
            return []

    def _all(self) -> list[int]:
        try:
            below = psutil.Process(self._process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        return [self._process.pid, *(each.pid for each in below)]

    def _look_again(self) -> None:
        self.pids = [self._process.pid, *self._access()]


@contextmanager
def volume_for(folder: Path, *, wanted: bool) -> Iterator[Volume | str]:
    """A file system of its own for the folder if one is wanted, or why there is none."""
    with ExitStack() as stack:
        volume: Volume | str = ""
        if wanted:
            try:
                volume = stack.enter_context(Volume(folder))
            except ChaosError as error:
                volume = str(error)
        yield volume


@contextmanager
def embedded(process: ServerProcess, dice: random.Random, volume: Volume | str) -> Iterator[EmbeddedServer]:
    """The server runs for the length of the block, and is drained at the end. Raises CannotRun."""
    try:
        process.start()
    except (ServerFailed, OSError) as error:
        raise CannotRun(str(error)) from error
    server = EmbeddedServer(process, dice, volume)
    try:
        yield server
    finally:
        server.go_on()
        process.stop()
