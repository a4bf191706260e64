"""Clients that share a ladder: under both pumps, in crowds, and what one of them weighs."""

import math
import random
import sys
from typing import Any

import gevent
import pytest

from drivers import events
from drivers.client import Client, State, Surroundings
from drivers.contract import Identity
from drivers.endpoints import parse_target
from drivers.policy import Policy
from drivers.pumps.epoll import EpollPump
from protocol import frames
from protocol.messages import LoggedIn
from tests.ladder.conftest import ONE, PATIENCE_S, QUICK
from tests.ladder.test_ladder_machine import URL, World

Happened = list[tuple[int, events.Event]]


class Roster:
    def __init__(self, identities: list[Identity]) -> None:
        self._identities = identities

    def identity(self, index: int) -> Identity:
        return self._identities[index]


def crowd(url: str, identities: list[Identity], **policy: Any) -> tuple[list[Client], Happened]:
    happened: Happened = []
    shared = Surroundings(
        (parse_target(url),),
        Roster(identities),
        Policy(**{**QUICK, **policy}),
        lambda client, event, now: happened.append((client.index, event)),
    )
    return [Client(shared, index) for index in range(len(identities))], happened


def until(met, timeout_s: float = PATIENCE_S) -> None:
    with gevent.Timeout(timeout_s):
        while not met():
            gevent.sleep(0.01)


@pytest.fixture
def pump():
    pump = EpollPump()
    yield pump
    pump.close()


def test_a_crowd_asks_once(pump, scheduler, ports, identities) -> None:
    clients, happened = crowd(
        scheduler.names(ports), identities(100),
        connect_timeout_s=PATIENCE_S, login_timeout_s=PATIENCE_S, first_round_s=math.inf,
    )  # fmt: skip
    for client in clients:
        pump.start(client)
    until(lambda: all(client.state is State.ONLINE for client in clients))
    assert scheduler.asked == 1
    assert clients[0].ladder.climbs == 1
    vias = {event.endpoint for _, event in happened if isinstance(event, events.LoggedIn)}
    assert vias == {f"tcp:{port}" for port in ports}


def test_one_leaves_the_tunnel_and_so_do_all(pump, scheduler, ports, identities) -> None:
    scheduler.names(ports[:1], scheme="http")
    clients, happened = crowd(
        f"chat+scheduler://{ONE}:{scheduler.port}?ports={ports[0]}&carriers=tcp,longpoll",
        identities(10), heartbeat_s=2, look_up_s=0.3,
    )  # fmt: skip
    for client in clients:
        pump.start(client)
    until(lambda: all(client.state is State.ONLINE for client in clients))
    assert {client.endpoint.carrier.name for client in clients} == {"longpoll"}
    scheduler.names(ports[:1])
    until(lambda: all(each.state is State.ONLINE and each.endpoint.carrier.name == "tcp" for each in clients))
    left = [event for _, event in happened if isinstance(event, events.Closed)]
    assert {event.reason for event in left} == {events.CloseReason.LEFT}
    assert len(left) == 10


def test_a_ladder_adds_nothing_to_a_client(identities) -> None:
    by_ladder, _ = crowd(URL, identities(1))
    fixed = Surroundings(
        (parse_target("chat+tcp://127.0.0.1:1"),), Roster(identities(1)), Policy(), lambda *_: None
    )
    assert sys.getsizeof(by_ladder[0]) == sys.getsizeof(Client(fixed, 0))
    assert not hasattr(by_ladder[0], "__dict__")


def log_in(client: Client, now: float) -> None:
    client.dialled(now)
    client.connected(now)
    client.take()
    client.receive(frames.encode(LoggedIn("u", 1, 0, 60, [], 0, "node")), now)


@pytest.mark.parametrize("outage_s", [0.0, 3.0, 10.0, 25.0])
def test_a_thousand_who_share_a_ladder_come_back_spread(outage_s: float) -> None:
    """HBT.6, with one ladder for all: while no way is known nobody dials, and then not all dial at once."""
    count = 1000
    world = World()
    world.open = {("10.0.0.8", 14000, "tcp")}
    clients, _ = crowd(
        URL, [Identity("u", "d", "t")] * count,
        reconnect_base_s=8.0, reconnect_cap_s=30.0, next_endpoint_s=0.2, dice=random.Random(5),
    )  # fmt: skip
    ladder = clients[0].ladder
    assert ladder is not None
    while ladder.choose(0, world.now) is None:
        world.carry(ladder, world.now + 0.05)
    for client in clients:
        client.start(world.now)
        log_in(client, world.now)
    world.now += 30.0
    lost_at, back_at = world.now, world.now + outage_s
    back: list[float] = []
    dials: list[float] = []
    if outage_s:
        world.open.clear()
    for client in clients:
        client.lost(events.CloseReason.RESET, "the node died", lost_at)
    while len(back) < count:
        waiting = [client for client in clients if client.state is not State.ONLINE]
        world.carry(ladder, min(client.deadline for client in waiting))
        if outage_s and world.now >= back_at:
            world.open = {("10.0.0.8", 14000, "tcp")}
        for client in waiting:
            if client.deadline > world.now:
                continue
            client.tick(world.now)
            if client.state is State.CONNECTING:
                dials.append(world.now)
                client.dialled(world.now)
                if world.now < back_at:
                    client.connect_failed("refused", world.now)
                else:
                    log_in(client, world.now)
                    back.append(world.now)
    busiest = max(sum(start <= at < start + 1.0 for at in back) for start in back)
    assert busiest < count / 4
    assert max(back) - back_at <= 60.0
    # While the node is away they learn of it from each other instead of finding out each for itself.
    assert sum(at < back_at for at in dials) <= 20
