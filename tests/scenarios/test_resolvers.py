"""Resolvers that are broken on purpose, and what becomes of clients that look for a way in."""

import time
from typing import Any

import gevent
import pytest

from chaos.errors import FaultSyntaxError
from chaos.plan import parse_fault
from drivers.endpoints import parse_target
from drivers.ladder.ladder import Ladder
from scenarios import resolvers


def _trouble(kind: str) -> str:
    """What a climb in a network with that resolver came to; nobody listens anywhere."""
    ladder = Ladder(parse_target("chat+scheduler://localhost:1?ports=1&carriers=tcp"))
    resolvers.use(ladder, kind)
    assert ladder.choose(0, time.monotonic()) is None
    with gevent.Timeout(60):
        while ladder.climb is not None:
            gevent.sleep(0.01)
    return ladder.trouble


def test_a_dead_resolver_knows_no_name() -> None:
    assert "resolver: Temporary failure in name resolution" in _trouble("dead")


def test_a_lying_resolver_leads_to_where_nobody_is() -> None:
    assert f"scheduler at {resolvers.NOBODY}" in _trouble("lying")


def test_that_of_the_system_is_asked_again_afterwards() -> None:
    assert "scheduler at 127.0.0.1" in _trouble("")


class _Swarm:
    def __init__(self) -> None:
        self.told: list[Any] = []

    def resolve(self, kind: str) -> None:
        self.told.append(kind)

    def move(self) -> None:
        self.told.append("moved")


def test_the_faults_tell_the_swarm_and_take_it_back_once() -> None:
    swarm = _Swarm()
    dns, network = parse_fault("dns=slow").fault(), parse_fault("new_network").fault()
    dns.apply(swarm, "*")
    network.apply(swarm, "*")
    for fault in (dns, network, dns):
        fault.heal(swarm, "*")
    assert swarm.told == ["slow", "moved", ""]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dns", "needs a value"),
        ("dns=drunk", "there are dead, lying, slow"),
        ("dns=dead on access-1", "for everybody"),
        ("new_network=3", "takes no value"),
        ("new_network for 3s", "happens at one moment"),
    ],
)
def test_what_cannot_be_meant_is_said(text: str, said: str) -> None:
    with pytest.raises(FaultSyntaxError, match=said):
        parse_fault(text)
