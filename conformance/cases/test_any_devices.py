"""DLV.6 and ROM for any dialect: several devices of a user, and devices that were away."""

from typing import Any

import pytest

from conformance.accounts import Block
from conformance.clients import MakeDevice, MakeStrait
from conformance.deviations import Judge
from conformance.shown import (
    assert_each_once,
    first_out_of_order,
    fresh,
    judge_repeats,
    order_shown,
    send_all,
    times_shown,
)
from conformance.strait import Strait
from drivers.events import Closed, LoggedIn
from drivers.pumps.blocking import Device
from drivers.pumps.wire import Expected

pytestmark = [pytest.mark.neutral, pytest.mark.waits]


@pytest.mark.clause("ROM.1")
@pytest.mark.needs("own_devices", "redelivery")
def test_every_online_device_shows_each_message(block: Block, device: MakeDevice, strait: MakeStrait) -> None:
    """A message is pushed to every online device of its recipient, and each device acknowledges for itself.

    The recipient has three devices; one has its connection cut while ten messages come. Expected: each of
    the three shows each message once.
    """
    sender, recipient = block.pick(2)
    way = strait()
    targets = [
        device(recipient),
        device(recipient, "tablet"),
        device(recipient, "watch", through=way, reconnect_base_s=0.05),
    ]
    for each in targets:
        each.log_in()
    source = device(sender)
    source.log_in()
    bodies = fresh(10)
    for number, body in enumerate(bodies):
        source.send_and_await(recipient.user, body)
        if number == 4:
            way.cut()
    for each in targets:
        assert_each_once(each, bodies)


@pytest.mark.clause("DLV.6")
@pytest.mark.needs("own_devices")
def test_the_senders_other_devices_show_what_it_sent(block: Block, device: MakeDevice) -> None:
    """The sender's own other devices get the message too, marked as sent by the user.

    A user with two other devices online sends ten messages. Expected: both show each once, as the user's
    own; the sending one is shown none of them as somebody else's.
    """
    sender, recipient = block.pick(2)
    others = [device(sender, "tablet"), device(sender, "watch")]
    for each in others:
        each.log_in()
    source, target = device(sender), device(recipient)
    source.log_in()
    target.log_in()
    bodies = fresh(10)
    for body in bodies:
        source.send_and_await(recipient.user, body)
    for each in [*others, target]:
        assert_each_once(each, bodies)
        senders = {entry.sender for entry in each.timeline() if entry.body in bodies}
        assert senders == {sender.user}, f"{each.name}: expected all to be {sender.user}'s, got {senders}"


@pytest.mark.clause("ROM.2")
def test_a_device_that_was_away_shows_what_it_missed(
    block: Block, device: MakeDevice, strait: MakeStrait
) -> None:
    """A device that comes back gets each missed message once, in order, and nothing it already had.

    A device shows five messages, leaves, and comes back after five more were sent; so three times. Expected:
    each message is shown once, in order.
    """
    sender, recipient = block.pick(2)
    way = strait()
    target, source = device(recipient, through=way), device(sender)
    target.log_in()
    source.log_in()
    bodies: list[bytes] = []
    for _ in range(3):
        here, away = fresh(5, "here"), fresh(5, "away")
        for body in here:
            source.send_and_await(recipient.user, body)
        assert_each_once(target, here)
        _go_away(target, way)
        for body in away:
            source.send_and_await(recipient.user, body)
        target.log_in()
        bodies += [*here, *away]
        assert_each_once(target, bodies)
    wrong = first_out_of_order(order_shown(target, bodies), bodies)
    assert not wrong, f"{target.name}: expected the order of the sender, {wrong}"


@pytest.mark.clause("ROM.2")
@pytest.mark.needs("groups", "group_catch_up")
def test_a_group_waits_for_those_who_were_away(
    block: Block, device: MakeDevice, strait: MakeStrait, judge: Judge
) -> None:
    """... it gets each missed message once: also those of a group.

    A member's device is away while ten messages go to the group. Expected: it shows each once when it is
    back, and so does another that was there.
    """
    sender, away, here = block.members()[:3]
    way = strait()
    target, other, source = device(away, through=way), device(here), device(sender)
    for each in (target, other, source):
        each.log_in()
    _go_away(target, way)
    bodies = fresh(10, "to the group")
    for body in bodies:
        source.send_and_await(block.group, body)
    assert_each_once(other, bodies)
    target.log_in()
    try:
        assert_each_once(target, bodies)
    except Expected as error:
        shown = times_shown(target, bodies).total()
        judge(
            False,
            "groups_do_not_wait",
            f"{shown} of {len(bodies)} messages were shown after the return: {error}",
        )


@pytest.mark.clause("ROM.2")
@pytest.mark.needs("catch_up")
def test_two_devices_away_miss_for_themselves(block: Block, device: MakeDevice, strait: MakeStrait) -> None:
    """A *device* that comes back gets each missed message: that another had it already is no matter.

    A phone stays, a tablet leaves; ten messages come. Expected: the phone shows them at once, the tablet
    when it is back.
    """
    sender, recipient = block.pick(2)
    way = strait()
    phone, source = device(recipient), device(sender)
    tablet = device(recipient, "tablet", through=way)
    for each in (phone, tablet, source):
        each.log_in()
    _go_away(tablet, way)
    bodies = fresh(10)
    for body in bodies:
        source.send_and_await(recipient.user, body)
    assert_each_once(phone, bodies)
    tablet.log_in()
    assert_each_once(tablet, bodies)


@pytest.mark.clause("ROM.4")
def test_what_comes_while_a_device_catches_up(
    block: Block, device: MakeDevice, strait: MakeStrait, judge: Judge
) -> None:
    """Messages that arrive during a pull are neither lost nor delivered out of order.

    A hundred messages wait for a device; it comes back while a hundred more are being sent. Expected: it
    shows each once, in the order of the sender.
    """
    sender, recipient = block.pick(2)
    way = strait()
    target, source = device(recipient, through=way), device(sender)
    target.log_in()
    _go_away(target, way)
    source.log_in()
    bodies = fresh(200)
    waited = send_all(judge, source, recipient.user, bodies[:100])
    target.start()
    bodies = [*waited, *send_all(judge, source, recipient.user, bodies[100:])]
    assert_each_once(target, bodies)
    wrong = first_out_of_order(order_shown(target, bodies), bodies)
    judge(not wrong, "order_of_stored_and_new", f"{target.name}, which caught up meanwhile: {wrong}")


@pytest.mark.clause("ROM.4")
@pytest.mark.needs("redelivery")
def test_a_device_that_is_cut_off_while_it_catches_up(
    block: Block, device: MakeDevice, strait: MakeStrait, judge: Judge
) -> None:
    """... neither lost: also when the connection ends in the middle of it.

    Three hundred messages wait for a device; its connection is cut while they come, three times. Expected: it
    shows each once.
    """
    sender, recipient = block.pick(2)
    way = strait()
    target = device(recipient, through=way, reconnect_base_s=0.05)
    source = device(sender)
    target.log_in()
    _go_away(target, way)
    source.log_in()
    bodies = fresh(300)
    bodies = send_all(judge, source, recipient.user, bodies)
    target.log_in()
    for part in (20, 100, 200):
        target.await_delivered(bodies[min(part, len(bodies) - 1)], timeout_s=20.0)
        way.cut()
    assert_each_once(target, bodies, timeout_s=30.0)
    judge_repeats(judge, target, bodies)


@pytest.mark.clause("ROM.5")
def test_a_second_login_replaces_the_first(block: Block, device: MakeDevice, judge: Judge) -> None:
    """Logging in again as the same device replaces the old connection.

    The same device logs in a second time elsewhere. Expected: the first connection is ended by the server;
    the second is told what comes, and stays.
    """
    user, friend = block.pick(2)
    patient: dict[str, Any] = {"reconnect_base_s": 60.0, "reconnect_cap_s": 60.0}
    first, second = device(user, **patient), device(user, **patient)
    source = device(friend)
    source.log_in()
    first.log_in()
    if not _is_let_in(second, judge) or not _is_ended(first, judge):
        return
    bodies = fresh(5)
    for body in bodies:
        source.send_and_await(user.user, body)
    assert_each_once(second, bodies)
    assert not second.all_of(Closed), f"expected the second login to stay, got {second.all_of(Closed)}"
    assert not times_shown(first, bodies), (
        f"expected nothing for the first login, got {order_shown(first, bodies)}"
    )


@pytest.mark.clause("ROM.5")
def test_other_devices_and_users_stay(block: Block, device: MakeDevice, judge: Judge) -> None:
    """... other devices stay: those of the user, and those of others that are called the same.

    A user's phone logs in again; the user's tablet and a friend's phone are online. Expected: neither is
    closed, and both show what comes afterwards.
    """
    user, friend, sender = block.pick(3)
    others = [device(user, "tablet"), device(friend, "phone")]
    for each in others:
        each.log_in()
    old, new = device(user, reconnect_base_s=60.0, reconnect_cap_s=60.0), device(user)
    old.log_in()
    if not _is_let_in(new, judge):
        return
    source = device(sender)
    source.log_in()
    for each in others:
        (body,) = fresh(1)
        source.send_and_await(each.identity.user, body)
        each.await_delivered(body)
        assert not each.all_of(Closed), f"{each.name}: expected to be left alone, got {each.all_of(Closed)}"


@pytest.mark.clause("ROM.5")
@pytest.mark.needs("redelivery")
def test_a_device_that_lost_its_connection_takes_its_place_again(
    block: Block, device: MakeDevice, strait: MakeStrait
) -> None:
    """... replaces the old connection: also one whose end the server has not noticed.

    Nothing passes any more on a device's connection, and no end of it, while five messages are sent; the
    device notices and comes back by another. Expected: it is let in, shows what was sent meanwhile, each
    once, and what comes then.
    """
    user, friend = block.pick(2)
    way = strait()
    target, source = device(user, through=way, heartbeat_s=1, reconnect_base_s=0.05), device(friend)
    target.log_in()
    source.log_in()
    way.strand()
    seen = len(target.events)
    missed, later = fresh(5, "missed"), fresh(5, "later")
    for body in missed:
        source.send_and_await(user.user, body)
    target.await_event(LoggedIn, since=seen, timeout_s=20.0)
    for body in later:
        source.send_and_await(user.user, body)
    assert_each_once(target, [*missed, *later])


def _is_let_in(second: Device, judge: Judge) -> bool:
    """Whether the second login of a device succeeded; what else a server may do is judged."""
    try:
        second.log_in()
    except Expected as error:
        judge(False, "the_newer_is_refused", f"the second login of {second.name} was not let in: {error}")
        return False
    return True


def _is_ended(first: Device, judge: Judge) -> bool:
    """Whether the server ended the older connection of a device; what else it may do is judged."""
    try:
        first.await_event(Closed)
    except Expected:
        judge(False, "both_stay", f"the older connection of {first.name} was not ended by a second login")
        return False
    return True


def _go_away(device: Device, way: Strait) -> None:
    """The device has left, and the server has closed its connection."""
    device.leave()
    way.await_empty()
