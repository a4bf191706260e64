"""UNR.4: what is read on one device is read on the user's other devices."""

import random

import gevent
import pytest

from conformance.accounts import Block
from conformance.carriers import on_a_connection
from conformance.clients import MakePhone, MakeWeb
from conformance.phone import Phone
from protocol.messages import ReadUpdate

pytestmark = pytest.mark.clause("UNR.4")
_TOLD = on_a_connection("over polls nobody is told of a read, the next look at the counts shows it")


def updates(phone: Phone) -> list[ReadUpdate]:
    """Every READ_UPDATE that came, answers among them."""
    return [message for message in phone.told if isinstance(message, ReadUpdate)]


def await_update(phone: Phone, conversation: str, sequence: int) -> ReadUpdate:
    """The READ_UPDATE of this very point, whether it has come already or not."""

    def is_it(update: ReadUpdate) -> bool:
        return (update.conversation, update.sequence) == (conversation, sequence)

    for update in updates(phone):
        if is_it(update):
            return update
    return phone.expect(ReadUpdate, is_it)


@_TOLD
def test_other_devices_are_told_the_point_and_the_counts(block: Block, phone: MakePhone) -> None:
    """A read on one device reaches the user's other devices.

    Five messages wait in a conversation with a friend and three in a group; the phone reads some of each.
    Expected: tablet and watch are told the conversation, the point, what is left in it, and the total.
    """
    owner, friend = block.pick(2)
    source, reader = phone(friend), phone(owner, "phone")
    others = [phone(owner, name) for name in ("tablet", "watch")]
    direct = source.say_all(owner.user, [b"x"] * 5)
    grouped = source.say_all(block.group, [b"y"] * 3)
    for point, left, total in ((direct[2], 2, 5), (grouped[1], 1, 3), (direct[4], 0, 1)):
        reader.read(point.conversation, point.sequence)
        for each in others:
            got = await_update(each, point.conversation, point.sequence)
            assert (got.unread, got.total_unread) == (left, total), (
                f"{each.name}, read up to {point.sequence} of {point.conversation}: expected {left} unread "
                f"and {total} in all, got {got.unread} and {got.total_unread}"
            )


def test_a_device_that_was_away_finds_the_counts_lowered(block: Block, phone: MakePhone) -> None:
    """... other devices: also those that were not connected when it happened.

    The tablet leaves with four unread messages; the phone reads three. Expected: the tablet, back again,
    and a new device are told that one is unread.
    """
    owner, friend = block.pick(2)
    tablet = phone(owner, "tablet")
    sent = phone(friend).say_all(owner.user, [b"x"] * 4)
    tablet.await_push(b"x")
    tablet.hang_up()
    phone(owner, "phone").read(sent[2].conversation, sent[2].sequence)
    for name in ("tablet", "new"):
        got = phone(owner, name).unread()
        assert got == (1, {sent[0].conversation: 1}), f"{name}: expected one unread message, got {got}"


@_TOLD
def test_an_older_point_takes_nothing_back_on_other_devices(block: Block, phone: MakePhone) -> None:
    """A read reaches them: an older one, which changes nothing, does not undo it.

    The phone reads up to the fifth message, the watch then up to the second, the phone up to the sixth.
    Expected: what the tablet is told never goes back: neither the point nor the count.
    """
    owner, friend = block.pick(2)
    sent = phone(friend).say_all(owner.user, [b"x"] * 6)
    name = sent[0].conversation
    tablet, watch, reader = (phone(owner, each) for each in ("tablet", "watch", "phone"))
    reader.read(name, sent[4].sequence)
    watch.read(name, sent[1].sequence, reached=sent[1].sequence)
    reader.read(name, sent[5].sequence)
    await_update(tablet, name, sent[5].sequence)
    told = [(update.sequence, update.unread) for update in updates(tablet)]
    points = [point for point, _ in told]
    assert points == sorted(points), f"expected points that never go back, got {points}"
    wanted = {(sent[4].sequence, 1), (sent[5].sequence, 0)}
    assert set(told) == wanted, f"expected the tablet to be told {sorted(wanted)}, got {told}"


@_TOLD
def test_devices_that_read_at_once_end_with_the_same(
    block: Block, phone: MakePhone, dice: random.Random
) -> None:
    """... reaches the user's other devices: whoever reads at the same moment.

    Fifteen times, ten messages come and three devices read different points at once. Expected: each device
    knows the furthest of the points afterwards, from its own answer or from what it was told.
    """
    owner, friend = block.pick(2)
    source = phone(friend)
    devices = [phone(owner, name) for name in ("phone", "tablet", "watch")]
    for turn in range(15):
        sent = source.say_all(owner.user, [b"x"] * 10)
        points = dice.sample(range(10), 3)
        name, furthest = sent[0].conversation, sent[max(points)].sequence
        reads = [
            gevent.spawn(each.read, name, sent[point].sequence)
            for each, point in zip(devices, points, strict=True)
        ]
        gevent.joinall(reads, raise_error=True)
        for each in devices:
            got = await_update(each, name, furthest)
            left = 9 - max(points)
            assert got.unread == left, (
                f"turn {turn}, {each.name}: expected {left} unread beyond {furthest}, got {got.unread}"
            )
        devices[0].read(name, sent[9].sequence)


@_TOLD
def test_nobody_else_is_told(block: Block, phone: MakePhone) -> None:
    """The *user's* other devices: nobody else learns how far he has read.

    A member reads a group and a conversation with a friend. Expected: his tablet is told; the friend, who
    wrote it all, and another member are told nothing, and keep their counts.
    """
    owner, friend, member = block.pick(3)
    source, other = phone(friend), phone(member)
    direct = source.say(owner.user, b"x")
    grouped = source.say(block.group, b"y")
    tablet, reader = phone(owner, "tablet"), phone(owner, "phone")
    for point in (direct, grouped):
        reader.read(point.conversation, point.sequence)
        await_update(tablet, point.conversation, point.sequence)
    for each in (source, other):
        each.beat()
        assert updates(each) == [], f"{each.name}: expected to be told nothing, got {updates(each)}"
    got = other.unread()
    assert got == (1, {block.group: 1}), f"{other.name}: expected its own unread message to stay, got {got}"


@_TOLD
def test_a_read_over_http_reaches_connected_devices(block: Block, phone: MakePhone, web: MakeWeb) -> None:
    """A read on one device reaches the user's other devices: also where the reading one has no connection.

    Two of three messages are read by a short request. Expected: a connected device is told the point and
    that one is left.
    """
    owner, friend = block.pick(2)
    short = web(owner, "browser")
    tablet = phone(owner, "tablet")
    sent = phone(friend).say_all(owner.user, [b"x"] * 3)
    name, sequence = sent[1].conversation, sent[1].sequence
    short.ask("POST", "/v1/read", {"conversation": name, "sequence": sequence})
    got = await_update(tablet, name, sequence)
    assert (got.unread, got.total_unread) == (1, 1), f"expected one unread message, got {got}"
