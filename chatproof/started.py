"""A server that others wrote, started by a run, as faults pull at it."""

from collections.abc import Sequence

import psutil

from chaos.burden import Burden
from chaos.errors import ChaosError
from chatproof.errors import CannotRun
from chatproof.starting import Started


class StartedServer:
    """Implements chaos.levers.ServerLever for what can be done to any process from outside."""

    def __init__(self, started: Started) -> None:
        self._started = started

    @property
    def pids(self) -> list[int]:
        """Of its processes that run now."""
        return self._started.pids

    def kill(self, which: str) -> list[int]:
        """`server`: killed without a word; `server-gently`: told to end by SIGTERM, which lets it save what
        it holds. Either way it is started again before this returns, with the same addresses and data."""
        self._only_whole("kill", which, ("server", "server-gently"))
        killed = self.pids
        if which == "server":
            self._started.kill()
        else:
            self._started.stop()
        try:
            self._started.start()
        except CannotRun as error:
            raise ChaosError(f"kill: {error}") from error
        return killed

    def pause(self, which: str) -> list[int]:
        """`server`: it stands still until `resume`."""
        self._only_whole("pause", which, ("server",))
        return [pid for pid in self.pids if _done(pid, "suspend")]

    def resume(self, pids: Sequence[int]) -> None:
        """See chaos.levers.ServerLever."""
        for pid in set(pids) & set(self.pids):
            _done(pid, "resume")

    def lay_on(self, burden: Burden) -> str:
        """Nothing of that kind can be laid on a server that others wrote. Raises ChaosError."""
        raise ChaosError(f"{self._started.name} is not ours to be burdened: disk and clock are the machine's")

    def take_off(self, burden: Burden) -> None:
        """Nothing was laid on."""

    def _only_whole(self, fault: str, which: str, possible: tuple[str, ...]) -> None:
        if which not in possible:
            raise ChaosError(
                f"{fault}: of {self._started.name} there is no {which!r}, there is {' and '.join(possible)}"
            )


def _done(pid: int, what: str) -> bool:
    try:
        getattr(psutil.Process(pid), what)()
    except psutil.NoSuchProcess:
        return False
    return True
