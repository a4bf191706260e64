"""What cases ask for by name."""

import random
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import psutil
import pytest

from conformance.accounts import Block
from conformance.clients import Clients, MakeDevice, MakePhone, MakeStrait, MakeWeb, MakeWire
from conformance.deviations import Judge, notes_key
from conformance.started import StartedServer
from conformance.target import Target, seed_key, target_key
from conformance.together import dice_for
from conformance.verdicts import not_offered
from conformance.wirelog import WireLog, log_key

if TYPE_CHECKING:
    from refserver.process import ServerProcess


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest) -> Target:
    """The server under test."""
    return request.config.stash[target_key]


@pytest.fixture(scope="session")
def take_block(target: Target) -> Callable[[], Block]:
    """Another block of ten users at each call, for what several cases observe together."""
    return target.next_block


@pytest.fixture
def block(target: Target) -> Block:
    """Ten users whom only this case knows."""
    return target.next_block()


@pytest.fixture
def dice(request: pytest.FixtureRequest) -> random.Random:
    """The same at each run with the same --seed, another for each case."""
    return dice_for(request.node, request.config.stash[seed_key])


@pytest.fixture
def clients(target: Target, dice: random.Random, request: pytest.FixtureRequest) -> Iterator[Clients]:
    """Makes clients that live as long as the case."""
    log = request.node.stash.setdefault(log_key, WireLog())
    with Clients(target, dice, log) as clients:
        yield clients


@pytest.fixture(scope="module")
def lasting_clients(target: Target, request: pytest.FixtureRequest) -> Iterator[Clients]:
    """Makes clients that live as long as the cases of one file."""
    log = request.node.stash.setdefault(log_key, WireLog())
    with Clients(target, random.Random(request.config.stash[seed_key]), log) as clients:
        yield clients


@pytest.fixture
def wire(clients: Clients) -> MakeWire:
    """`wire(compression=False, hear=None)`: a bare connection."""
    return clients.wire


@pytest.fixture
def phone(clients: Clients) -> MakePhone:
    """`phone(user, device="phone", heartbeat_s=60, version=0)`: logged in, does only what it is told."""
    return clients.phone


@pytest.fixture
def device(clients: Clients) -> MakeDevice:
    """`device(user, name="phone", version=0, **policy)`: a client as an app has it, not started yet."""
    return clients.device


@pytest.fixture
def strait(clients: Clients) -> MakeStrait:
    """`strait()`: a way to the target that the case can close; `device(user, through=…)` takes it."""
    return clients.strait


@pytest.fixture
def web(clients: Clients) -> MakeWeb:
    """`web(user, device="http")`: short HTTP requests as this user."""
    return clients.web


@pytest.fixture
def judge(target: Target, request: pytest.FixtureRequest) -> Judge:
    """`judge(holds, name, witness)`: what does not hold is a failure, or a note where it is allowed."""
    return Judge(target.promises, target.query, request.node.stash.setdefault(notes_key, []))


@pytest.fixture
def server(target: Target) -> Iterator["ServerProcess"]:
    """The reference server's process, to be killed and restarted; runs again when the case is over."""
    if not target.is_ours:
        not_offered("the target was not started by us, so it cannot be restarted")
    server = target.running_server()
    try:
        yield server
    finally:
        if not psutil.pid_exists(server.pid):
            server.start()


@pytest.fixture
def started(target: Target) -> Iterator[StartedServer]:
    """The server that was started for the run, whatever it is, with the same promise."""
    server = target.server_to_restart()
    if server is None:
        not_offered("the target was not started by us, so it cannot be restarted")
    try:
        yield server
    finally:
        if not server.is_running:
            server.start()
