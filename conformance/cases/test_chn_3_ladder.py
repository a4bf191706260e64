"""CHN.3 to CHN.6: a client finds a way in past blocked ports, proxies, and name services that fail or lie."""

import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import combinations
from typing import Any

import gevent
import pytest

from conformance.accounts import Block, User
from conformance.clients import Clients
from conformance.paths import HOST, BlackHole, HttpOnlyProxy, Shut
from conformance.reference import NAME
from conformance.target import Target
from conformance.verdicts import not_offered
from drivers.contract import Identity
from drivers.endpoints import parse_target
from drivers.events import ConnectFailed
from drivers.policy import Policy
from drivers.pumps.blocking import Device
from drivers.pumps.scouts import Resolve, Scouts

pytestmark = pytest.mark.calm("what is closed here is the case's own; test_a_plan_ways meets the plan's")
_ONCE = pytest.mark.once("the client chooses the carrier itself")
_LIMIT_S = 10.0
_SUBSETS = [blocked for size in (1, 2, 3, 4) for blocked in combinations(range(4), size)]


def seeker(
    clients: Clients, user: User, dice: random.Random, url: str, *, name: str = "phone", **policy: Any
) -> Device:
    """A client that knows no access point, only where to ask; not started."""
    quick = {"next_endpoint_s": 0.05, "reconnect_base_s": 0.3, "reconnect_cap_s": 1.0, **policy}
    return clients.device_at(
        [parse_target(url)], Identity(user.user, name, user.token), Policy(dice=dice, **quick)
    )


def ask_at(port: int, ports: Sequence[int], more: str = "") -> str:
    """URL of a scheduler at a port, with these four at its address."""
    return f"chat+scheduler://{HOST}:{port}?ports={','.join(map(str, ports))}{more}"


def resolving(device: Device, resolve: Resolve) -> Device:
    """The resolver of the system is `resolve` for this client."""
    ladder = device.client.ladder
    assert ladder is not None, "expected a client with a scheduler to have a ladder"
    ladder.send_out = Scouts(ladder, resolve).go
    return device


@pytest.fixture
def shut() -> Iterator[tuple[int, ...]]:
    """Five ports that refuse."""
    with ExitStack() as stack:
        yield tuple(stack.enter_context(Shut()).port for _ in range(5))


@pytest.mark.clause("CHN.3")
@_ONCE
@pytest.mark.parametrize("how", ["refused", "black-holed"])
def test_whatever_is_blocked_of_the_four_ports(
    block: Block, clients: Clients, target: Target, dice: random.Random, shut: tuple[int, ...], how: str
) -> None:
    """With any subset of the ports 80, 8080, 443 and 14000 blocked (refused or black-holed), a client that
    can still reach one of them is logged in within 10 s.

    For each of the fifteen subsets a client knows an address and four ports of it, all others side by side;
    nobody tells it which are blocked, and the scheduler is blocked as well. Expected: it is logged in by one
    of the others within 10 s, and with all four blocked it says so.
    """
    with ExitStack() as stack:
        closed = shut[:4]
        if how == "black-holed":
            closed = tuple(stack.enter_context(BlackHole()).port for _ in range(4))

        def seek(number: int, blocked: tuple[int, ...]) -> None:
            ports = [closed[n] if n in blocked else target.ports[n] for n in range(4)]
            device = seeker(
                clients, block.users[number % 10], random.Random(dice.random()), ask_at(shut[4], ports),
                name=f"phone {number}",
            )  # fmt: skip
            if len(blocked) == 4:
                failed = device.start().await_event(ConnectFailed, timeout_s=_LIMIT_S + 2)
                assert failed.reason.startswith("no way in"), f"expected to be told, got {failed.reason}"
                return
            via = device.log_in(_LIMIT_S).endpoint
            left = [port for n, port in enumerate(ports) if n not in blocked]
            assert int(via.rpartition(":")[2]) in left, f"expected one of {left}, connected by {via}"

        jobs = [gevent.spawn(seek, number, blocked) for number, blocked in enumerate(_SUBSETS)]
        gevent.joinall(jobs, raise_error=True)


@pytest.mark.clause("CHN.4")
@_ONCE
def test_a_proxy_that_knows_nothing_but_http(
    block: Block, clients: Clients, target: Target, dice: random.Random
) -> None:
    """A client behind a proxy that lets only HTTP through (no CONNECT to other ports, no WebSocket upgrade,
    bodies buffered) still sends and receives: the HTTP tunnel.

    Two clients know the server by the proxy alone. Expected: both are logged in, and what each sends the
    other receives, in order.
    """
    if target.http_url is None:
        not_offered("the target has no HTTP in the clear (--http http://…)")
    one, other = block.pick(2)
    host = target.http_url.partition("://")[2].rstrip("/")
    with HttpOnlyProxy() as proxy:
        endpoint = parse_target(f"chat+longpoll://{host}?proxy={HOST}:{proxy.port}")
        policy = Policy(dice=dice)
        left = clients.device_at([endpoint], Identity(one.user, "phone", one.token), policy)
        right = clients.device_at([endpoint], Identity(other.user, "phone", other.token), policy)
        left.log_in()
        right.log_in()
        bodies = [f"through the proxy {number}".encode() for number in range(10)]
        for body in bodies:
            left.send_and_await(other.user, body)
        right.await_delivered(bodies[-1])
        right.send_and_await(one.user, b"and back")
        left.await_delivered(b"and back")
        got = [entry.body for entry in right.timeline() if entry.sender == one.user]
        assert got == bodies, f"expected {len(bodies)} messages in order, got {got}"
        assert proxy.carried > len(bodies), "expected all of it to go through the proxy"


@pytest.mark.clause("CHN.4")
@pytest.mark.needs("discovery")
@_ONCE
def test_the_tunnel_is_found_when_nothing_else_is_open(
    block: Block, clients: Clients, target: Target, dice: random.Random, shut: tuple[int, ...]
) -> None:
    """A client behind a proxy that lets only HTTP through still sends and receives.

    The client is told of a proxy, and of four ports that it cannot connect to; the proxy reaches a fifth.
    Expected: it is logged in through the proxy within 10 s, and its send is acknowledged.
    """
    user, friend = block.pick(2)
    with HttpOnlyProxy() as proxy:
        url = ask_at(target.ports[0], shut[:4], f"&carriers=longpoll&proxy={HOST}:{proxy.port}")
        device = seeker(clients, user, dice, url)
        via = device.log_in(_LIMIT_S).endpoint
        assert via.startswith("longpoll:"), f"expected the tunnel, connected by {via}"
        device.send_and_await(friend.user, b"found")


def _nobody_knows(name: str) -> list[str]:
    raise OSError(-2, "Name or service not known")


@pytest.mark.clause("CHN.5")
@_ONCE
@pytest.mark.parametrize("names", ["fail", "are slow"])
def test_addresses_built_in(
    block: Block, clients: Clients, target: Target, dice: random.Random, shut: tuple[int, ...], names: str
) -> None:
    """With name resolution and the scheduling service both failing, a client connects through its built-in
    fallback addresses.

    The resolver knows nothing or takes half a minute, HTTPDNS refuses, and so does the scheduler; of two
    addresses built in one is dead. Expected: the client is logged in within 10 s.
    """

    def slow(name: str) -> list[str]:
        gevent.sleep(30.0)
        return []

    more = f"&httpdns={HOST}:{shut[0]}&fallback=127.0.0.66,{HOST}&ports={target.ports[0]},{target.ports[1]}"
    device = seeker(clients, block.users[0], dice, f"chat+scheduler://{NAME}:{shut[1]}?{more[1:]}")
    via = resolving(device, _nobody_knows if names == "fail" else slow).log_in(_LIMIT_S).endpoint
    assert int(via.rpartition(":")[2]) in target.ports[:2], f"expected a fallback, connected by {via}"


@pytest.mark.clause("CHN.6")
@_ONCE
def test_a_poisoned_resolver_does_not_redirect(
    block: Block, clients: Clients, target: Target, dice: random.Random
) -> None:
    """A client resolves access points over HTTPDNS (an HTTP query to an IP address, answer with TTL), so a
    poisoned system resolver cannot redirect it.

    The resolver gives the address of an impostor that takes every connection, and HTTPDNS the right one.
    Expected: the client is logged in at the server, and the impostor is never connected to.
    """
    impostor = "127.0.0.67"
    port = target.ports[0]
    taken: list[object] = []
    listener = gevent.server.StreamServer((impostor, port), lambda _, address: taken.append(address))
    listener.start()
    try:
        url = f"chat+scheduler://{NAME}:{port}?httpdns={HOST}:{target.ports[1]}&ports={port}"
        device = resolving(seeker(clients, block.users[0], dice, url), lambda name: [impostor])
        device.log_in(_LIMIT_S)
        device.send_and_await(block.users[1].user, b"to the right one")
    finally:
        listener.stop(0)
    assert not taken, f"expected nobody at the impostor's, {len(taken)} connections were made there"
