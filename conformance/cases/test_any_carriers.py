"""WAY.3 for any dialect: one conversation over every carrier that the target was named with."""

import pytest

from conformance.accounts import Block
from conformance.clients import Clients
from conformance.shown import assert_each_once, first_out_of_order, fresh, order_shown
from conformance.target import Target
from conformance.verdicts import not_offered

pytestmark = pytest.mark.neutral


@pytest.mark.clause("WAY.3")
@pytest.mark.once("it takes all carriers together")
def test_devices_on_all_carriers_show_the_same(block: Block, clients: Clients, target: Target) -> None:
    """Long connection: TCP, TLS and WebSocket carry the same frames.

    A recipient has a device on each carrier of the target; a sender writes five messages over each in turn.
    Expected: every device shows all of them, once, in their order.
    """
    if len(target.chosen) < 2:
        not_offered("the target has one kind of long connection only")
    sender, recipient = block.pick(2)
    ways = {carrier: target.endpoints_of(carrier) for carrier in target.chosen}
    targets = [clients.device(recipient, carrier, at=ways[carrier]) for carrier in ways]
    for each in targets:
        each.log_in()
    bodies: list[bytes] = []
    for carrier, way in ways.items():
        source = clients.device(sender, f"from-{carrier}", at=way)
        source.log_in()
        for body in fresh(5, f"over {carrier}"):
            source.send_and_await(recipient.user, body)
            bodies.append(body)
    for each in targets:
        assert_each_once(each, bodies)
        wrong = first_out_of_order(order_shown(each, bodies), bodies)
        assert not wrong, f"{each.name}: expected the order of sending, {wrong}"
