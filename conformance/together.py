"""Cases that mostly wait, side by side: the first of them starts all, then each has its own verdict.

Such a case is marked `@pytest.mark.waits`. It takes what `Given` has, by name, and no other fixture; its
block, its clients and its log are its own, as for any case. It shares the machine and the server with the
others, so it may neither restart the server nor look at what the server holds.
"""

import random
from collections.abc import Iterable
from typing import Any

import gevent
import pytest
from gevent.pool import Pool

from conformance.clients import Clients
from conformance.deviations import Judge, notes_key
from conformance.exposed import BrokenByPlan
from conformance.target import Target, seed_key, target_key
from conformance.verdicts import Undecided
from conformance.weather import AT_ONCE, PAUSE_S, TRIES, parameters
from conformance.wirelog import WireLog, log_key

Outcome = BaseException | None
outcomes_key = pytest.StashKey[dict[str, Outcome]]()

_ENDS = (Exception, pytest.skip.Exception, pytest.fail.Exception)
"""What a case may end with: pytest's own are no exceptions to everybody."""


def waits(item: pytest.Item) -> bool:
    """True for a case that runs side by side with others."""
    return item.get_closest_marker("waits") is not None


def lasts(item: pytest.Item) -> bool:
    """True for a case that takes as long as the phases of a fault plan."""
    return item.get_closest_marker("lasts") is not None


def spare_fixtures(item: pytest.Function) -> None:
    """A case that waits gets its clients when it is started. Raises UsageError for what it cannot have."""
    wanted = parameters(item)
    unknown = wanted - Given.NAMES
    if unknown:
        raise pytest.UsageError(f"{item.nodeid}: a case that waits cannot have {', '.join(sorted(unknown))}")
    item.fixturenames.clear()


def run_all(items: Iterable[pytest.Function], config: pytest.Config) -> dict[str, Outcome]:
    """How each ended, by its id, when all are over."""
    target, seed = config.stash[target_key], config.stash[seed_key]
    # Whoever asks first starts the server, and while it starts the others would not wait for it.
    _ = target.endpoints
    pool, beside = Pool(None if target.weather is None else AT_ONCE), Pool()
    running = {}
    try:
        # Those that last as long as the plan mostly wait, and hold nobody up who does not.
        for item in sorted(items, key=lasts, reverse=True):
            running[item.nodeid] = (beside if lasts(item) else pool).spawn(_tried, item, target, seed)
        pool.join()
        beside.join()
    finally:
        pool.kill()
        beside.kill()
    return {name: greenlet.value for name, greenlet in running.items()}


def _tried(item: pytest.Function, target: Target, seed: int) -> Outcome:
    """How the case ended; tried again only when a fault had broken a connection that it was using."""
    notes = item.stash.setdefault(notes_key, [])
    for number in range(1, TRIES + 1):
        outcome = _run(item, target, seed)
        if not isinstance(outcome, BrokenByPlan):
            return outcome
        notes.append(f"try {number}: {outcome}")
        if number < TRIES:
            gevent.sleep(PAUSE_S)
    return Undecided(f"in each of {TRIES} tries a fault broke a bare connection; at last: {outcome}")


class Given:
    """What fixtures of the same names give to other cases."""

    NAMES = frozenset(
        {"block", "clients", "device", "dice", "judge", "phone", "strait", "target", "web", "wire"}
    )

    def __init__(self, target: Target, clients: Clients, dice: random.Random, notes: list[str]) -> None:
        self.target, self.clients, self.dice = target, clients, dice
        self.judge = Judge(target.promises, target.query, notes)
        self.block = target.next_block()
        self.device, self.phone, self.strait, self.web, self.wire = (
            clients.device,
            clients.phone,
            clients.strait,
            clients.web,
            clients.wire,
        )


def dice_for(item: pytest.Item, seed: int) -> random.Random:
    """The same at each run with the same seed, another for each case."""
    return random.Random(f"{seed} {item.name}")


def _run(item: pytest.Function, target: Target, seed: int) -> Outcome:
    dice = dice_for(item, seed)
    log = item.stash.setdefault(log_key, WireLog())
    try:
        with Clients(target, dice, log) as clients:
            given: Any = Given(target, clients, dice, item.stash.setdefault(notes_key, []))
            own = getattr(item, "callspec", None)
            wanted = {name: getattr(given, name) for name in parameters(item)}
            item.obj(**wanted, **(own.params if own else {}))
    except _ENDS as error:
        return error
    return None
