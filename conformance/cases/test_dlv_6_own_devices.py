"""DLV.6: what a user sends from one device is on the user's other devices too."""

import random

import gevent
import pytest

from conformance.accounts import Block
from conformance.clients import MakeDevice, MakePhone
from conformance.packages import say_package
from conformance.phone import fresh_cid
from protocol.messages import Message, Push, Sent

pytestmark = pytest.mark.clause("DLV.6")

Place = tuple[int, int, str, int, str, bytes]


def place_of(push: Push) -> Place:
    return push.version, push.mid, push.conversation, push.sequence, push.sender, push.body


def test_other_devices_that_are_online_are_pushed_it(block: Block, phone: MakePhone) -> None:
    """The sender's own other devices get the message too, marked as sent by the user.

    A phone writes to a friend and to a group; tablet and watch of the same user are online. Expected: both
    are pushed both messages with the id, sequence and version of SENT, and the user as their sender.
    """
    sender, friend = block.pick(2)
    source = phone(sender, "phone")
    others = [phone(sender, name) for name in ("tablet", "watch")]
    for to, body in ((friend.user, b"to a friend"), (block.group, b"to the group")):
        sent = source.say(to, body)
        wanted = (sent.version, sent.mid, sent.conversation, sent.sequence, sender.user, body)
        for each in others:
            got = place_of(each.await_push(body))
            assert got == wanted, f"{each.name}: expected the push {wanted}, got {got}"


def test_the_sending_device_keeps_it_for_its_next_life(block: Block, phone: MakePhone) -> None:
    """... other devices: also one that logs in for the first time afterwards, and the same one when wiped.

    A user writes three messages between two of a friend's. Expected: a device that was not there and the
    wiped one both find all five in their order, each with its sender.
    """
    sender, friend = block.pick(2)
    source, other = phone(sender), phone(friend)
    wanted = [(friend.user, b"first of the friend")]
    other.say(sender.user, wanted[0][1])
    for number in range(3):
        wanted.append((sender.user, f"own {number}".encode()))
        source.say(friend.user, wanted[-1][1])
    wanted.append((friend.user, b"last of the friend"))
    other.say(sender.user, wanted[-1][1])
    source.hang_up()
    for name in ("new", "phone"):
        found = [(entry.sender, entry.body) for entry in phone(sender, name).inbox()]
        assert found == wanted, f"device {name}: expected {wanted} in its inbox, found {found}"


@pytest.mark.needs("packages")
def test_a_package_reaches_them_whole(block: Block, phone: MakePhone) -> None:
    """... get the message too: every one of a package.

    A phone sends a package of five. Expected: the user's tablet is pushed all five, in order, as sent by
    him.
    """
    sender, friend = block.pick(2)
    source, tablet = phone(sender, "phone"), phone(sender, "tablet")
    bodies = [f"item {number}".encode() for number in range(5)]
    answer = say_package(source, friend.user, bodies)
    tablet.await_push(bodies[-1])
    wanted = [(each.mid, each.sequence, sender.user) for each in answer.placed]
    got = [(push.mid, push.sequence, push.sender) for push in tablet.pushes]
    assert got == wanted, f"expected pushes of the five items {wanted}, got {got}"


def test_a_push_that_gets_lost_on_the_way_to_them_comes_again(block: Block, device: MakeDevice) -> None:
    """... get the message: an own device is owed it like any recipient.

    Every first copy of a push to the user's tablet gets lost. Expected: it shows all five messages, each
    once.
    """
    sender, friend = block.pick(2)
    tablet, source = device(sender, "tablet", heartbeat_s=1), device(sender, "phone")
    lost: set[int] = set()

    def lose_first_copy(direction: str, message: Message) -> bool:
        if isinstance(message, Push) and message.version not in lost:
            lost.add(message.version)
            return True
        return False

    tablet.lose = lose_first_copy
    for each in (tablet, source):
        each.log_in()
    bodies = [f"own {number}".encode() for number in range(5)]
    for body in bodies:
        source.send_and_await(friend.user, body)
    tablet.await_delivered(bodies[-1])
    shown = [(entry.sender, entry.body) for entry in tablet.timeline()]
    wanted = [(sender.user, body) for body in bodies]
    assert shown == wanted, f"{tablet.name}: expected {wanted} shown, each once, got {shown}"


def test_a_repeated_send_is_shown_once_on_them(block: Block, phone: MakePhone) -> None:
    """... get the message: once, however often the sender had to send it.

    A send is repeated twice after the tablet has acknowledged its push, then another one follows. Expected:
    the tablet is pushed each of the two once.
    """
    sender, friend = block.pick(2)
    source, tablet, cid = phone(sender, "phone"), phone(sender, "tablet"), fresh_cid()
    source.say(friend.user, b"repeated", cid=cid)
    tablet.acknowledge(tablet.await_push(b"repeated").version)
    for _ in range(2):
        source.say(friend.user, b"repeated", cid=cid)
    source.say(friend.user, b"the end")
    tablet.await_push(b"the end")
    came = [push.body for push in tablet.pushes]
    assert came == [b"repeated", b"the end"], f"expected each message once, got pushes of {came}"


def test_two_devices_that_send_at_once_have_the_same_inbox(
    block: Block, device: MakeDevice, dice: random.Random
) -> None:
    """... other devices: each of them is the other's other device.

    Phone and tablet of one user send thirty messages each at the same time, to a friend and to the group,
    and acknowledgements get lost now and then. Expected: both show all sixty, and the same order.
    """
    sender, friend = block.pick(2)
    devices = [device(sender, name, heartbeat_s=1, retransmit_start_s=0.1) for name in ("phone", "tablet")]

    def send(number: int) -> None:
        for turn in range(30):
            to = friend.user if turn % 2 else block.group
            devices[number].send_and_await(to, f"{number} says {turn}".encode())

    for each in devices:
        each.lose = lambda direction, message: isinstance(message, Sent) and dice.random() < 0.1
        each.log_in()
    gevent.joinall([gevent.spawn(send, number) for number in range(2)], raise_error=True)
    newest = max(each.client.version for each in devices)
    for each in devices:
        each.await_version(newest)
    wanted = {f"{number} says {turn}".encode() for number in range(2) for turn in range(30)}
    shown = [[entry.body for entry in each.timeline()] for each in devices]
    assert set(shown[0]) == wanted, f"expected all sixty messages, missing {wanted - set(shown[0])}"
    assert len(shown[0]) == 60, f"expected sixty messages, each once, got {len(shown[0])}"
    assert shown[0] == shown[1], f"expected one order on both devices, got {shown[0]} and {shown[1]}"


def test_nobody_elses_device_gets_it(block: Block, phone: MakePhone) -> None:
    """The *sender's own* other devices: no one else's, although they are called the same.

    Two friends who are no party have a device named like the sender's tablet. Expected: after a message to
    another friend their inboxes are empty, and they were pushed nothing.
    """
    sender, friend, *strangers_to_it = block.pick(4)
    tablet = phone(sender, "tablet")
    bystanders = [phone(user, "tablet") for user in strangers_to_it]
    phone(sender, "phone").say(friend.user, b"for one friend")
    tablet.await_push(b"for one friend")
    for each in bystanders:
        each.beat()
        assert each.pushes == [], f"{each.name}: expected no push, got {each.pushes}"
        found = each.inbox()
        assert found == [], f"{each.name}: expected an empty inbox, found {found}"
