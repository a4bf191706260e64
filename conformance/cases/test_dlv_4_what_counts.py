"""DLV.4: versions count entries: what is no message takes none, and a package takes one for each item."""

from collections.abc import Callable

import pytest

from conformance.accounts import Block
from conformance.clients import MakePhone
from conformance.packages import say_package
from conformance.phone import Phone, fresh_cid
from protocol.messages import Error, Ping, Pushed
from protocol.names import conversation_between

pytestmark = pytest.mark.clause("DLV.4")


def repeats(owner: Phone, friend: Phone, cid: str) -> None:
    for _ in range(3):
        friend.say(owner.user, b"first", cid=cid)


def refusals(owner: Phone, friend: Phone, cid: str) -> None:
    for to in (f"nobody-{fresh_cid()}", f"g:nothing-{fresh_cid()}"):
        answer = friend.try_to_say(to, b"never")
        assert isinstance(answer, Error), f"expected a message to {to} to be refused, got {answer}"


def heartbeats(owner: Phone, friend: Phone, cid: str) -> None:
    for each in (owner, friend):
        each.wire.send(Pushed(1), Ping(50), Ping())
        each.beat()


def pulls(owner: Phone, friend: Phone, cid: str) -> None:
    for each in (owner, friend):
        each.inbox()


def reads(owner: Phone, friend: Phone, cid: str) -> None:
    sent = friend.say(owner.user, b"first", cid=cid)
    for each in (owner, friend):
        each.read(sent.conversation, sent.sequence)
        each.unread()


def looks(owner: Phone, friend: Phone, cid: str) -> None:
    for each in (owner, friend):
        each.history(conversation_between(owner.user, friend.user))
        each.contacts()


_DEEDS = [
    pytest.param(repeats, id="repeats"),
    pytest.param(refusals, id="refused sends"),
    pytest.param(heartbeats, id="heartbeats and acknowledgements"),
    pytest.param(pulls, id="pulls"),
    pytest.param(reads, id="reads", marks=pytest.mark.needs("unread")),
    pytest.param(looks, id="history and contacts", marks=pytest.mark.needs("history", "contacts")),
]


@pytest.mark.parametrize("do", _DEEDS)
def test_what_is_no_message_takes_no_version(
    block: Block, phone: MakePhone, do: Callable[[Phone, Phone, str], None]
) -> None:
    """Each user has a version that grows by exactly one per inbox entry: and by nothing else.

    Two friends have a message each; something is done that is none, and another message is sent. Expected: it
    has version 2 in both inboxes, and a new device is told 2.
    """
    owner, friend = block.pick(2)
    cid = fresh_cid()
    target, source = phone(owner), phone(friend)
    source.say(owner.user, b"first", cid=cid)
    do(target, source, cid)
    versions = (source.say(owner.user, b"second").version, target.await_push(b"second").version)
    assert versions == (2, 2), f"expected version 2 for both, got {versions}"
    told = [phone(user, "new").logged_in.version for user in (owner, friend)]
    assert told == [2, 2], f"expected new devices to be told version 2, got {told}"


def test_logins_take_no_version(block: Block, phone: MakePhone) -> None:
    """... exactly one per inbox entry: however often a device comes, replaces itself, and goes.

    Two friends write to each other; before each message both devices log in again, beside their old
    connection and after it has ended. Expected: message by message the next version for both.
    """
    owner, friend = block.pick(2)
    for number in range(1, 4):
        phone(owner)
        phone(friend)
        target, source = phone(owner), phone(friend)
        told = (target.logged_in.version, source.logged_in.version)
        assert told == (number - 1, number - 1), f"login {number}: expected version {number - 1}, got {told}"
        body = b"%d" % number
        versions = (source.say(owner.user, body).version, target.await_push(body).version)
        assert versions == (number, number), f"message {number}: expected this version, got {versions}"
        target.hang_up()
        source.hang_up()


@pytest.mark.needs("packages")
def test_a_package_takes_a_version_for_each_item(block: Block, phone: MakePhone) -> None:
    """... by exactly one per inbox entry: PACKAGE_SENT tells where the sender's inbox ends then.

    A package of five goes to a friend, and one of three to the group, with a message after each. Expected:
    the packages are answered with the versions of their last items, 5 and 9, the messages with 6 and 10.
    """
    sender, friend = block.pick(2)
    source = phone(sender)
    found = []
    for to, count in ((friend.user, 5), (block.group, 3)):
        found.append(say_package(source, to, [b"item %d" % number for number in range(count)]).version)
        found.append(source.say(to, b"after it").version)
    assert found == [5, 6, 9, 10], f"expected the versions [5, 6, 9, 10] in the answers, got {found}"
