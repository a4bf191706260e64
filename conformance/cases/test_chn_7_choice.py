"""CHN.7: of several ways the client takes a fast one, and of equally fast ones those with less to do."""

import random
from collections import Counter

import gevent
import pytest

from conformance.accounts import Block
from conformance.cases.test_chn_3_ladder import ask_at, seeker
from conformance.clients import Clients
from conformance.paths import HOST, Shut
from conformance.target import Target
from conformance.verdicts import not_offered
from drivers.contract import Identity
from drivers.endpoints import parse_target
from drivers.events import LoggedIn
from drivers.policy import Policy

_ONCE = pytest.mark.once("the client chooses the carrier itself")
pytestmark = pytest.mark.calm("these are ways of this machine; test_a_plan_ways has those of the plan")
_SETTLED = 30
_SEEKERS = 90
_AT_ONCE = 6


@pytest.mark.clause("CHN.7")
@_ONCE
def test_no_point_gets_more_than_its_share(
    block: Block, clients: Clients, target: Target, dice: random.Random
) -> None:
    """... and follows the scheduler's load hints: no point gets more than 1.5 times its share when latencies
    are equal.

    Thirty connections stand at one of five access points; then ninety clients, each of which knows only the
    scheduler, come a few at a time. Expected: of all hundred and twenty no point holds more than 36.
    """
    crowded = target.endpoints_of("tcp")[0]
    users = block.users
    held = Counter({crowded.label: 0})
    for number in range(_SETTLED):
        user = users[number % len(users)]
        early = clients.device_at(
            [crowded], Identity(user.user, f"early {number}", user.token), Policy(dice=dice)
        )
        held[early.log_in().endpoint] += 1

    def seek(number: int) -> None:
        user = users[number % len(users)]
        url = f"chat+scheduler://{HOST}:{target.ports[number % 4]}?carriers=tcp"
        device = seeker(clients, user, random.Random(dice.random()), url, name=f"late {number}")
        held[device.log_in().endpoint] += 1

    for start in range(0, _SEEKERS, _AT_ONCE):
        gevent.joinall([gevent.spawn(seek, start + each) for each in range(_AT_ONCE)], raise_error=True)
    share = (_SETTLED + _SEEKERS) / (len(target.ports) + 1)
    label, most = held.most_common(1)[0]
    assert most <= 1.5 * share, (
        f"expected at most {1.5 * share:.0f} of {_SETTLED + _SEEKERS} connections at a point, "
        f"{label} got {most}: {dict(held)}"
    )


@pytest.mark.clause("CHN.7")
@_ONCE
def test_a_better_way_is_taken_when_there_is_one_again(
    block: Block, clients: Clients, target: Target, dice: random.Random
) -> None:
    """Among reachable access points of several lines, the client measures, takes the fastest ...

    A client finds nothing open but requests over HTTP; while it stays there a port for connections opens.
    Expected: it is told of nothing and moves to it by itself, soon, and what is sent meanwhile arrives once.
    """
    user, friend = block.pick(2)
    source = clients.device_at(
        target.endpoints_of("tcp"), Identity(friend.user, "phone", friend.token), Policy(dice=dice)
    )
    source.log_in()
    poll = target.http_url
    if poll is None:
        not_offered("the target has no HTTP in the clear (--http http://…)")
    with Shut() as later, Shut() as nobody:
        more = "&carriers=tcp,longpoll"
        device = clients.device_at(
            [
                parse_target(ask_at(nobody.port, [later.port], more)),
                parse_target(f"chat+longpoll://{poll.partition('://')[2].rstrip('/')}"),
            ],
            Identity(user.user, "phone", user.token),
            Policy(dice=dice, heartbeat_s=1, look_up_s=0.5, reconnect_base_s=0.2),
        )
        via = device.log_in().endpoint
        assert via.startswith("longpoll:"), f"expected the tunnel, connected by {via}"
        seen = len(device.events)
        later.open(target.ports[0])
        bodies = [f"meanwhile {number}".encode() for number in range(20)]
        sending = gevent.spawn(lambda: [source.send_and_await(user.user, body) for body in bodies])
        again = device.await_event(LoggedIn, since=seen, timeout_s=15.0)
        assert again.endpoint == f"tcp:{later.port}", f"expected the connection, got {again.endpoint}"
        sending.get()
        device.await_delivered(bodies[-1])
        got = [entry.body for entry in device.timeline()]
        assert got == bodies, f"expected {len(bodies)} messages once and in order, got {got}"
