"""The machines of a run, from the first that joins to the last ledger that arrives."""

import time
from collections.abc import Callable

import gevent
from gevent.event import Event

from chatproof.elsewhere import Elsewhere
from chatproof.errors import CannotRun, Interrupted
from ledger.run_folder import RunFolder
from scenarios.gathering import gather
from scenarios.machines import Machines

_PATIENCE_S = 600.0
_LOOK_S = 0.05


def muster(machines: Machines, elsewhere: Elsewhere, stop: Event, say: Callable[[str], None]) -> None:
    """All are there with their processes. Raises CannotRun if one does not come, Interrupted if the run is
    stopped meanwhile."""
    address = f"{elsewhere.host}:{elsewhere.port}"
    say(f"waiting for {elsewhere.machines} machines: chatproof worker --master {address}")
    while awaited := machines.awaited:
        if stop.is_set():
            raise Interrupted(f"interrupted when {awaited}")
        if machines.unfit is not None:
            raise CannotRun(machines.unfit)
        if time.monotonic() - machines.heard_at > _PATIENCE_S:
            raise CannotRun(f"only {awaited} within {_PATIENCE_S:.0f} s")
        gevent.sleep(_LOOK_S)


def collect(machines: Machines, folder: RunFolder) -> None:
    """Clocks are read once more, and what the machines wrote is in the folder, what is missing known.

    Raises LedgerError if it cannot be written there.
    """
    machines.look_closely()
    gather(machines, folder)
