"""ORD.1 and ORD.2 for any dialect: a sender's own order, and that of several as each device shows it."""

from collections.abc import Sequence

import gevent
import pytest

from conformance.accounts import Block
from conformance.clients import MakeDevice, MakeStrait
from conformance.deviations import Judge
from conformance.shown import assert_each_once, first_out_of_order, fresh, order_shown, send_all
from drivers.pumps.blocking import Device

pytestmark = [pytest.mark.neutral, pytest.mark.waits]


@pytest.mark.clause("ORD.2")
def test_a_sender_keeps_its_order_in_a_conversation(block: Block, device: MakeDevice) -> None:
    """Messages of one sender in one conversation keep the order in which they were first sent.

    A hundred messages are handed to the client at once. Expected: the recipient shows them in that order.
    """
    sender, recipient = block.pick(2)
    target, source = device(recipient), device(sender)
    target.log_in()
    source.log_in()
    bodies = fresh(100)
    for body in bodies:
        source.send(recipient.user, body)
    assert_each_once(target, bodies)
    wrong = first_out_of_order(order_shown(target, bodies), bodies)
    assert not wrong, f"{target.name}: expected the order of the sender, {wrong}"


@pytest.mark.clause("ORD.2")
@pytest.mark.needs("groups")
def test_two_conversations_at_once_keep_theirs(block: Block, device: MakeDevice) -> None:
    """... in one conversation: each has its own.

    A sender writes to a user and to a group in turn, fifty messages each. Expected: a device that gets both
    shows each conversation in its order.
    """
    sender, recipient = block.members()[:2]
    target, source = device(recipient), device(sender)
    target.log_in()
    source.log_in()
    direct, grouped = fresh(50, "direct"), fresh(50, "to the group")
    for one, other in zip(direct, grouped, strict=True):
        source.send(recipient.user, one)
        source.send(block.group, other)
    for bodies in (direct, grouped):
        assert_each_once(target, bodies)
        wrong = first_out_of_order(order_shown(target, bodies), bodies)
        assert not wrong, f"{target.name}: expected the order of the sender, {wrong}"


@pytest.mark.clause("ORD.2")
@pytest.mark.needs("offline", "redelivery")
def test_order_survives_connections_that_break(
    block: Block, device: MakeDevice, strait: MakeStrait, judge: Judge
) -> None:
    """... also under loss, retransmission and reconnection.

    Sixty messages are handed over at once, and both connections are cut in turn, six times. Expected: the
    recipient shows all of them in their order.
    """
    sender, recipient = block.pick(2)
    up, down = strait(), strait()
    target = device(recipient, through=down, reconnect_base_s=0.05)
    source = device(sender, through=up, reconnect_base_s=0.05)
    target.log_in()
    source.log_in()
    bodies = fresh(60)
    for body in bodies:
        source.send(recipient.user, body)
    for turn in range(6):
        target.await_delivered(bodies[turn * 9], timeout_s=20.0)
        (up if turn % 2 else down).cut()
    assert_each_once(target, bodies)
    wrong = first_out_of_order(order_shown(target, bodies), bodies)
    judge(not wrong, "order_of_redeliveries", f"{target.name}, after reconnections: {wrong}")


@pytest.mark.clause("ORD.2")
@pytest.mark.needs("offline")
def test_what_waited_for_a_device_keeps_its_order(
    block: Block, device: MakeDevice, strait: MakeStrait, judge: Judge
) -> None:
    """... keep the order in which they were first sent: also where they waited for the device.

    Two hundred messages are sent while the recipient's device is away. Expected: it shows them in their
    order.
    """
    sender, recipient = block.pick(2)
    way = strait()
    target, source = device(recipient, through=way), device(sender)
    target.log_in()
    target.leave()
    way.await_empty()
    source.log_in()
    bodies = send_all(judge, source, recipient.user, fresh(200))
    target.log_in()
    assert_each_once(target, bodies)
    wrong = first_out_of_order(order_shown(target, bodies), bodies)
    assert not wrong, f"{target.name}: expected the order of the sender, {wrong}"


@pytest.mark.clause("ORD.1")
@pytest.mark.needs("groups")
def test_all_devices_show_several_senders_in_one_order(
    block: Block, device: MakeDevice, judge: Judge
) -> None:
    """... every device of every member shows the same order.

    Two members write twenty messages each to the group, at once. Expected: each sender's order is kept, and
    the devices of the three other members show all forty in the same order.
    """
    one, other, *others = block.members()[:5]
    targets = [device(user) for user in others]
    for each in targets:
        each.log_in()
    sources = [device(one), device(other)]
    for each in sources:
        each.log_in()
    said = [fresh(20, "by one"), fresh(20, "by the other")]

    def talk(number: int) -> None:
        for body in said[number]:
            sources[number].send_and_await(block.group, body)

    gevent.joinall([gevent.spawn(talk, 0), gevent.spawn(talk, 1)], raise_error=True)
    everything = [*said[0], *said[1]]
    orders = []
    for each in targets:
        assert_each_once(each, everything)
        for own in said:
            wrong = first_out_of_order(order_shown(each, own), own)
            assert not wrong, f"{each.name}: expected the order of each sender, {wrong}"
        timeline = [entry.body for entry in each.timeline(_conversation(each, everything))]
        orders.append([body for body in timeline if body in set(everything)])
    for each, order in zip(targets[1:], orders[1:], strict=True):
        wrong = first_out_of_order(order, orders[0])
        judge(not wrong, "order_across_senders", f"{each.name} and {targets[0].name} differ: {wrong}")


def _conversation(device: Device, bodies: Sequence[bytes]) -> str:
    return next(entry.conversation for entry in device.timeline() if entry.body in bodies)
