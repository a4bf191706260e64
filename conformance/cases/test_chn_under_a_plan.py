"""CHN.3 and CHN.4 under fault plans: ports close and proxies come between while clients talk."""

import time

import gevent
import pytest

from conformance.accounts import Block
from conformance.clients import MakeDevice
from conformance.target import Target
from conformance.verdicts import not_offered

_ROUNDS = 1.2
_PACE_S = 0.2


@pytest.mark.clause("CHN.3", "CHN.4")
@pytest.mark.needs("discovery")
@pytest.mark.once("the client chooses the carrier itself")
def test_a_way_is_found_again_whatever_the_plan_closes(
    block: Block, device: MakeDevice, target: Target
) -> None:
    """With any subset of the ports blocked, and behind a proxy that lets only HTTP through, a client that can
    still reach one of them is logged in, and sends and receives.

    Two friends talk for as long as all phases of the plan take. Expected: every message is acknowledged, and
    each is shown to the other once, in order.
    """
    if target.weather is None or not target.weather.by_ladder:
        not_offered("only under a fault plan that closes ports: office-firewall, hotel-wifi")
    one, other = block.pick(2)
    left, right = device(one), device(other)
    left.log_in()
    right.log_in()
    until = time.monotonic() + _ROUNDS * target.weather.plan.length_s
    bodies: list[bytes] = []
    while time.monotonic() < until:
        bodies.append(f"still here {len(bodies)}".encode())
        left.send_and_await(other.user, bodies[-1])
        right.await_delivered(bodies[-1])
        right.send_and_await(one.user, bodies[-1] + b" as well")
        gevent.sleep(_PACE_S)
    left.await_delivered(bodies[-1] + b" as well")
    got = [entry.body for entry in right.timeline() if entry.sender == one.user]
    assert got == bodies, f"expected {len(bodies)} messages, each once and in order, got {got}"
