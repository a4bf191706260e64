"""CHN.2: what is sent reaches every connection by itself, at once."""

import time

import gevent
import pytest

from conformance.accounts import Block
from conformance.clients import MakePhone, MakeWeb, MakeWire
from conformance.phone import Phone, log_in
from conformance.verdicts import not_offered
from protocol.messages import Push

pytestmark = pytest.mark.clause("CHN.2")

_SOON_S = 2.0
"""What has to come at once may take this long on a busy machine; no heartbeat and no poll ends before."""
_AT_ONCE = pytest.mark.only_over(
    "tcp", "tls", "ws", "wss", "longpoll",
    why="a short poll is answered at once, and what is new waits for the next",
)  # fmt: skip


def comes(phone: Phone, body: bytes) -> Push:
    """The push of a message that has just been sent, which nothing was asked for."""
    began = time.monotonic()
    push = phone.await_push(body, _SOON_S)
    took_s = time.monotonic() - began
    assert took_s < _SOON_S, f"{phone.name}: expected the push at once, it took {took_s:.1f} s"
    return push


@_AT_ONCE
def test_a_message_comes_without_being_asked_for(block: Block, phone: MakePhone) -> None:
    """Messages are received by push on the long connection.

    A recipient logs in and says nothing more, not even a heartbeat; a friend and a group write, one message
    after the other has come. Expected: each comes within two seconds, as it was sent, with the next version;
    over a long poll as the answer to a request that was held.
    """
    owner, friend = block.pick(2)
    silent, source = phone(owner), phone(friend)
    for number in range(5):
        to = block.group if number % 2 else owner.user
        body = b"unasked %d" % number
        sent = source.say(to, body)
        push = comes(silent, body)
        assert (push.mid, push.version) == (sent.mid, number + 1), (
            f"expected message {sent.mid} with version {number + 1}, got {push.mid} with {push.version}"
        )


@_AT_ONCE
def test_every_connection_gets_it_at_once(block: Block, phone: MakePhone) -> None:
    """... by push on the long connection: on each one that there is.

    A recipient has five devices, a sender three; one device of the sender writes. Expected: each of the
    recipient's devices and the sender's other two get it within two seconds, none twice by then.
    """
    owner, friend = block.pick(2)
    theirs = [phone(owner, f"device-{number}") for number in range(5)]
    source, *ours = [phone(friend, f"own-{number}") for number in range(3)]
    for number in range(3):
        body = b"everywhere %d" % number
        source.say(owner.user, body)
        gevent.joinall([gevent.spawn(comes, one, body) for one in [*theirs, *ours]], raise_error=True)
    for one in [*theirs, *ours]:
        got = [push.body for push in one.pushes if push.attempt == 1]
        assert got == [b"everywhere %d" % number for number in range(3)], (
            f"{one.name}: expected each message once and in order, got {got}"
        )


@_AT_ONCE
def test_a_connection_that_has_just_come_is_pushed_to(block: Block, phone: MakePhone) -> None:
    """... on the long connection: from its login on, and on the newest one of a device.

    A device goes without a word and comes back, ten times; the moment it is logged in a friend writes, and
    every second time while the login is under way. Expected: what was sent after LOGGED_IN is pushed to the
    new connection within two seconds; what came before is in the version that it names, or pushed.
    """
    owner, friend = block.pick(2)
    source = phone(friend)
    stored = 0
    for turn in range(10):
        early, late = b"early %d" % turn, b"late %d" % turn
        writing = gevent.spawn(source.say, owner.user, early) if turn % 2 else None
        one = phone(owner)
        if writing is not None:
            writing.get()
            stored += 1
            if one.logged_in.version < stored:
                comes(one, early)
        source.say(owner.user, late)
        stored += 1
        comes(one, late)
        one.hang_up()


@_AT_ONCE
def test_nothing_is_pushed_before_the_login(block: Block, wire: MakeWire, phone: MakePhone) -> None:
    """... received by who has logged in: a connection alone is nobody's.

    A connection is made and says nothing, while messages go to the user who will log in on it. Expected:
    the first frame that comes is LOGGED_IN, and it names their number.
    """
    owner, friend = block.pick(2)
    early = wire()
    source = phone(friend)
    for number in range(3):
        source.say(owner.user, b"%d" % number)
    answer = log_in(early, owner)
    assert answer.version == 3, f"expected LOGGED_IN with version 3, got {answer.version}"


@pytest.mark.only_over("tcp", "tls", "ws", "wss", why="it is about a connection beside a poll")
@pytest.mark.needs("long_poll")
def test_a_connection_is_pushed_to_beside_a_poll(block: Block, phone: MakePhone, web: MakeWeb) -> None:
    """Messages are received by push on the long connection: whatever else the user waits by.

    A user has a connection, and another device of his holds a poll; a friend and a group write. Expected:
    each message comes by both within two seconds.
    """
    owner, friend = block.pick(2)
    silent, polling, source = phone(owner), web(owner, "browser"), phone(friend)
    for number, to in enumerate((owner.user, block.group)):
        held = gevent.spawn(polling.poll, number, wait_s=8.0)
        gevent.sleep(0.3)
        body = b"by both %d" % number
        source.say(to, body)
        comes(silent, body)
        poll = held.get()
        assert poll.bodies == [body], f"expected the poll to bring {body!r}, got {poll.bodies}"


@pytest.mark.once("it is about somebody without any connection")
def test_vendor_push_when_there_is_no_connection(block: Block) -> None:
    """... and by vendor push when there is none.

    A user without a connection is written to. Expected: the vendor's push interface is asked to tell the
    user's device; the clause of vendor push itself is ARC.4.
    """
    not_offered("no target can be told of a vendor's push interface and of device tokens so far")
