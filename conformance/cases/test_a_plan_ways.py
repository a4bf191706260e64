"""CHN.3 to CHN.7 for as long as a fault plan lasts: ways in close and open, and clients find what is left."""

import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import gevent
import gevent.server
import gevent.socket
import pytest

from conformance.accounts import Block, User
from conformance.cases.test_chn_3_ladder import resolving
from conformance.clients import MakeDevice
from conformance.reference import NAME
from conformance.target import Target
from conformance.under_a_plan import (
    a_round,
    happened_in,
    move_in_each,
    seeking_weather,
    talk,
    weather_of,
)
from conformance.verdicts import Undecided, not_offered
from conformance.weather import Weather
from drivers.endpoints import parse_target
from drivers.events import Acked, LoggedIn
from drivers.pumps.blocking import Device
from protocol import frames
from protocol.messages import Pong

pytestmark = [
    pytest.mark.lasts,
    pytest.mark.once("the client chooses the carrier itself"),
    pytest.mark.needs("discovery"),
]

_PORTS = (14000, 443, 8080, 80)
_DEAD, _IMPOSTOR = "127.0.0.66", "127.0.0.67"
_PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 19\r\n\r\n<html>hello</html>\n"


def assert_got_through(
    block: Block, device: MakeDevice, weather: Weather, wanted: str, closing: Sequence[str]
) -> None:
    """Of two friends who talk through all phases, one is heard in each that has one of the faults `closing`;
    and everything arrives once, in order."""
    spells = a_round(weather)
    one, other = block.pick(2)
    left, right = device(one), device(other)
    left.log_in()
    right.log_in()
    bodies = talk(left, other.user, spells[-1].end)
    for spell in spells:
        answers = happened_in(left, Acked, spell)
        closed = any(spell.has(fault) for fault in closing)
        assert answers or not closed, (
            f"{spell.phase.name}: expected {wanted} to be found while it lasted, no message was acknowledged"
        )
    right.await_delivered(bodies[-1])
    got = [entry.body for entry in right.timeline() if entry.sender == one.user]
    assert got == bodies, f"expected {len(bodies)} messages, each once and in order, got {len(got)}"


@pytest.mark.clause("CHN.3")
def test_a_way_is_found_whatever_ports_a_plan_closes(
    block: Block, device: MakeDevice, target: Target
) -> None:
    """With any subset of the ports blocked, a client that can still reach one of them is logged in within
    10 s.

    Two friends talk through all phases of the plan, each of which closes other ports for ten seconds.
    Expected: in each phase messages are acknowledged, and each is shown to the other once, in order.
    """
    weather = seeking_weather(target, "block_port")
    assert_got_through(block, device, weather, "an open port", ["block_port"])


@pytest.mark.clause("CHN.4")
def test_the_tunnel_is_found_when_a_plan_leaves_nothing_else(
    block: Block, device: MakeDevice, target: Target
) -> None:
    """A client behind a proxy that lets only HTTP through still sends and receives: the HTTP tunnel.

    Two friends talk through all phases of the plan, in one of which nothing passes but HTTP, by a proxy.
    Expected: messages are acknowledged in it as well, and each is shown to the other once, in order.
    """
    weather = seeking_weather(target, "web_only", "http_only")
    assert_got_through(block, device, weather, "the tunnel", ["web_only", "http_only"])


def seeker(weather: Weather, device: MakeDevice, user: User, more: str) -> Device:
    """A client that is given the service's name, and what else is said; not started."""
    ports = ",".join(map(str, _PORTS))
    url = f"chat+scheduler://{NAME}:{weather.web_port}?ports={ports}&{more}"
    return device(user, "seeker", at=[parse_target(url)], next_endpoint_s=0.05, reconnect_base_s=0.3)


def assert_heard(weather: Weather, seeking: Device, friend: Device) -> None:
    """Whoever seeks comes into another network in each phase, and all that is said to the friend arrives."""
    spells = a_round(weather)
    seeking.log_in()
    friend.log_in()
    moving = gevent.spawn(move_in_each, seeking, spells)
    bodies = talk(seeking, friend.identity.user, spells[-1].end)
    moving.get()
    friend.await_delivered(bodies[-1])
    got = [entry.body for entry in friend.timeline()]
    assert got == bodies, f"expected {len(bodies)} messages, each once and in order, got {len(got)}"


@pytest.mark.clause("CHN.5")
def test_addresses_built_in_are_tried_in_every_network(
    block: Block, device: MakeDevice, target: Target
) -> None:
    """With name resolution and the scheduling service both failing, a client connects through its built-in
    fallback addresses.

    The resolver knows nothing and HTTPDNS refuses; of two addresses built in one is dead. In each phase of
    the plan the client comes into another network, and has to begin anew. Expected: whatever it says arrives.
    """
    weather = weather_of(target, network=True)
    user, friend = block.pick(2)

    def unknown(name: str) -> list[str]:
        raise OSError(-2, "Name or service not known")

    more = f"httpdns={_DEAD}:1&fallback={_DEAD},{weather.host}"
    assert_heard(weather, resolving(seeker(weather, device, user, more), unknown), device(friend))


class Impostor:
    """Where a poisoned resolver leads to: it answers requests with a page, and everything else with a frame
    that no server says to somebody who is not logged in. `heard`: all that it was told."""

    def __init__(self, stack: ExitStack) -> None:
        self.heard: list[bytes] = []
        for port in _PORTS:
            server = gevent.server.StreamServer((_IMPOSTOR, port), self._answer)
            server.start()
            stack.callback(server.stop, 0)

    def _answer(self, client: gevent.socket.socket, _: object) -> None:
        try:
            while data := client.recv(65536):
                self.heard.append(data)
                client.sendall(_PAGE if data.startswith((b"GET ", b"POST ")) else frames.encode(Pong(0, 60)))
        except OSError:
            return  # whoever has seen enough hangs up


@contextmanager
def impostor() -> Iterator[Impostor]:
    with ExitStack() as stack:
        yield Impostor(stack)


@pytest.mark.clause("CHN.6")
def test_a_poisoned_resolver_does_not_redirect_while_httpdns_is_out_of_reach(
    block: Block, device: MakeDevice, target: Target
) -> None:
    """A client resolves access points over HTTPDNS, so a poisoned system resolver cannot redirect it.

    The resolver leads to an impostor that answers everything. In each phase of the plan the client comes into
    another network and looks for the server anew, also where HTTPDNS does not answer and only the resolver
    does. Expected: the impostor is never shown the client's token, and whatever it says arrives.
    """
    weather = weather_of(target, network=True)
    user, friend = block.pick(2)
    more = f"httpdns={weather.host}:{weather.name_port}&fallback={weather.host}"
    with impostor() as wrong:
        seeking = resolving(seeker(weather, device, user, more), lambda name: [_IMPOSTOR])
        try:
            assert_heard(weather, seeking, device(friend))
        finally:
            told = [data for data in wrong.heard if user.token.encode() in data]
            assert not told, f"expected no word to the impostor, it was shown a token {len(told)} times"


_CHANCES = 3
_BEFORE_S = 3.0
"""Into the tunnel so long before it may be left: looks for something better come after at most 0.5, 1, 2 and
4 s, so that one of them falls into a time of five."""


@pytest.mark.clause("CHN.7")
def test_the_tunnel_is_left_when_the_plan_opens_other_ways(
    block: Block, device: MakeDevice, target: Target
) -> None:
    """Among reachable access points of several lines, the client measures, takes the fastest ...

    Three seconds before a plan opens its ports again a client comes in by the tunnel, which stays open.
    Expected: it is told of nothing and moves to a connection by itself, the first, second or third time.
    """
    weather = seeking_weather(target, "web_only")
    user = block.users[0]
    upcoming = weather.upcoming()
    was_inside = 0
    for chance in range(_CHANCES):
        closed = next((spell for spell in upcoming if spell.has("web_only")), None)
        after = next(upcoming, None)
        if closed is None or after is None:
            break
        closed.await_end(but_s=_BEFORE_S)
        phone = device(user, f"phone {chance}", heartbeat_s=1, look_up_s=0.5, reconnect_base_s=0.2)
        via = phone.log_in().endpoint
        seen, was_inside = len(phone.events), was_inside + via.startswith("longpoll:")
        after.await_end()
        moved = [event for event in phone.events[seen:] if isinstance(event, LoggedIn)]
        if via.startswith("longpoll:") and any(event.endpoint.startswith("tcp:") for event in moved):
            return
        phone.leave()
    if not was_inside:
        raise Undecided("the tunnel was found only when there were better ways already")
    raise AssertionError(f"expected the tunnel to be left, it was kept {was_inside} times")


_SETTLED, _SEEKERS, _AT_ONCE = 44, 116, 6
_UNEQUAL = ("loss", "jitter", "rate", "reorder", "latency", "bandwidth", "block_port", "web_only")


@pytest.mark.clause("CHN.7")
def test_loads_are_followed_while_a_plan_breaks_connections(
    block: Block, device: MakeDevice, target: Target, dice: random.Random
) -> None:
    """... and follows the scheduler's load hints: no point gets more than 1.5 times its share when latencies
    are equal.

    Forty-four connections stand at one of four access points; then a hundred and sixteen clients, each of
    which knows only the scheduler, come a few at a time, while the plan breaks what there is. Expected: of
    all hundred and sixty no point has more than sixty.
    """
    weather = weather_of(target, network=True)
    if weather.plan.access_processes:
        not_offered(f"under {weather.plan.name} there is one point for each carrier, and nothing to choose")
    if weather.has(*_UNEQUAL):
        not_offered(f"under {weather.plan.name} ways are not equally fast, and their speed is what counts")
    users = block.users
    quick: dict[str, Any] = {"next_endpoint_s": 0.05, "reconnect_base_s": 0.3}
    crowded = parse_target(f"chat+tcp://{weather.host}:{_PORTS[0]}")
    devices = [
        device(users[number % len(users)], f"early {number}", at=[crowded], **quick)
        for number in range(_SETTLED)
    ]
    for early in devices:
        early.log_in()

    def seek(number: int) -> None:
        url = f"chat+scheduler://{weather.host}:{_PORTS[number % 4]}?carriers=tcp"
        one = device(users[number % len(users)], f"late {number}", at=[parse_target(url)], **quick)
        devices.append(one)
        one.log_in()

    for start in range(0, _SEEKERS, _AT_ONCE):
        several = range(start, min(start + _AT_ONCE, _SEEKERS))
        gevent.joinall([gevent.spawn(seek, number) for number in several], raise_error=True)
    held: dict[str, int] = {}
    for each in devices:
        label = each.all_of(LoggedIn)[-1].endpoint
        held[label] = held.get(label, 0) + 1
    share = len(devices) / len(_PORTS)
    assert max(held.values()) <= 1.5 * share, (
        f"expected at most {1.5 * share:.0f} of {len(devices)} connections at a point, got {held}"
    )
