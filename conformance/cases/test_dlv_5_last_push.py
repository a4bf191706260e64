"""DLV.5: a lost last push is noticed by the next heartbeats, without further traffic."""

import time

import gevent
import pytest

from conformance.accounts import Block
from conformance.carriers import on_a_connection
from conformance.clients import MakeDevice, MakePhone
from conformance.packages import say_package
from conformance.phone import Phone
from drivers.events import GapFound
from protocol.limits import MAX_PACKAGE_ITEMS, SLOW_READER_FRAMES
from protocol.messages import Ping, Pong, Push

pytestmark = pytest.mark.clause("DLV.5")

_HEARTBEAT_S = 1


def await_newest(phone: Phone) -> None:
    """Beats until a PONG tells what a pull knows to be newest, at most for two heartbeats."""
    version = phone.pull(2**40, 1).newest
    until = time.monotonic() + 2 * _HEARTBEAT_S
    while (told := phone.beat().version) != version:
        assert told < version, f"{phone.name}: PONG tells version {told}, and the newest is {version}"
        assert time.monotonic() < until, (
            f"{phone.name}: expected a PONG to tell version {version} within two heartbeats, it says {told}"
        )
        phone.listen(_HEARTBEAT_S / 4)


@pytest.mark.waits
@pytest.mark.calm("how soon the client knows is what it looks at")
def test_a_client_that_gets_no_push_at_all_pulls(block: Block, device: MakeDevice) -> None:
    """Within two heartbeats of the lost push the client knows that its version is behind, and pulls.

    The path loses every push, also repeats. Three messages come, with nothing else to be heard. Expected:
    each is known to be missing within two heartbeats, and shown after a pull.
    """
    sender, recipient = block.pick(2)
    target = device(recipient, heartbeat_s=_HEARTBEAT_S)
    target.lose = lambda direction, message: isinstance(message, Push)
    entered = target.log_in()
    limit_s = 2 * entered.heartbeat_s
    source = device(sender)
    source.log_in()
    for number in range(3):
        body = f"last push {number}".encode()
        seen = len(target.events)
        source.send_and_await(recipient.user, body)
        acked_at = time.monotonic()
        target.await_event(GapFound, since=seen, timeout_s=limit_s + 2)
        noticed_at = next(
            at
            for event, at in zip(target.events[seen:], target.happened_at[seen:], strict=True)
            if isinstance(event, GapFound)
        )
        assert noticed_at - acked_at <= limit_s, (
            f"expected the client to know within {limit_s} s, it took {noticed_at - acked_at:.2f} s"
        )
        assert target.await_delivered(body).via == "pull", "expected the message to come by a pull"


def test_a_heartbeat_tells_the_newest_version(block: Block, phone: MakePhone) -> None:
    """... knows that its version is behind: PONG says so.

    Messages come from a friend and from the group, and are not acknowledged. Expected: after each, a PONG
    tells the version that the inbox has now.
    """
    sender, recipient = block.pick(2)
    source, target = phone(sender), phone(recipient)
    await_newest(target)
    for number, to in enumerate((recipient.user, block.group, recipient.user), 1):
        source.say(to, f"version {number}".encode())
        await_newest(target)


def test_own_messages_of_another_device_count(block: Block, phone: MakePhone) -> None:
    """... its version is behind: the user's own messages are entries too.

    A user sends from one device. Expected: the heartbeats of that device and of the user's other device tell
    the version that the inbox has now.
    """
    sender, recipient = block.pick(2)
    source, tablet = phone(sender, "phone"), phone(sender, "tablet")
    for number in range(2):
        source.say(recipient.user, f"own {number}".encode())
        await_newest(source)
        await_newest(tablet)


def test_an_acknowledged_push_does_not_hide_the_next(block: Block, phone: MakePhone) -> None:
    """... a lost *last* push: those before it have arrived and were acknowledged.

    A phone acknowledges four pushes; the fifth it takes for lost. Expected: PONG tells the
    fourth's version and later the fifth's, with no other traffic.
    """
    sender, recipient = block.pick(2)
    source, target = phone(sender), phone(recipient)
    for number in range(1, 5):
        source.say(recipient.user, str(number).encode())
        target.acknowledge(target.await_push(str(number).encode()).version)
    await_newest(target)
    source.say(recipient.user, b"the last")
    await_newest(target)


def test_a_heartbeat_never_promises_what_no_pull_brings(block: Block, phone: MakePhone) -> None:
    """... knows that its version is behind, and pulls: what PONG promises is there.

    While a friend sends forty messages, a phone alternates PING and PULL. Expected: no PONG tells more than
    the pull after it finds; at the end both say 40.
    """
    sender, recipient = block.pick(2)
    source, target = phone(sender), phone(recipient)
    for number in range(40):
        source.say(recipient.user, str(number).encode())
        told = target.beat().version
        newest = target.pull(told, 1).newest
        assert told <= newest, f"PONG tells version {told}, but a later pull knows only {newest}"
    await_newest(target)


def test_a_device_that_reconnects_is_told_by_its_heartbeats_too(block: Block, phone: MakePhone) -> None:
    """... without further traffic: also when the message came while nobody was there.

    A message arrives while the recipient has no connection. Expected: at the next login PONG tells its
    version, although the device said at login that it has none.
    """
    sender, recipient = block.pick(2)
    first = phone(recipient)
    first.hang_up()
    sent = phone(sender).say(recipient.user, b"while away")
    back = phone(recipient)
    await_newest(back)
    found = [entry.mid for entry in back.inbox()]
    assert found == [sent.mid], f"expected the pull to bring message {sent.mid}, got {found}"


def test_a_message_that_meets_a_login_is_noticed(block: Block, phone: MakePhone) -> None:
    """... without further traffic: also one that comes in the very moment of the login.

    Ten times, six devices of the recipient log in and one message is sent a moment later, each time a longer
    one. Expected: each device learns of it: by the push, or by a PONG within two heartbeats.
    """
    sender, recipient = block.pick(2)
    source = phone(sender)
    for turn in range(10):
        body = f"turn {turn}".encode()
        logins = [gevent.spawn(phone, recipient, f"device-{turn}-{number}") for number in range(6)]
        gevent.sleep(0.002 * turn)
        source.say(recipient.user, body)
        for login in logins:
            target: Phone = login.get()
            if all(push.body != body for push in target.pushes):
                await_newest(target)
            target.hang_up()


@pytest.mark.needs("packages")
def test_a_package_counts_as_what_is_in_it(block: Block, phone: MakePhone) -> None:
    """... knows that its version is behind: by how much, where several messages came as one.

    A package of seven comes to a user, and one of three to his group. Expected: after each, a PONG tells the
    version that the inbox has now, on the device that sent it as well.
    """
    sender, recipient = block.pick(2)
    source, target = phone(sender), phone(recipient)
    for to, count in ((recipient.user, 7), (block.group, 3)):
        say_package(source, to, [b"item %d" % number for number in range(count)])
        await_newest(target)
        await_newest(source)


@on_a_connection("over polls the server knows of no interval")
def test_a_heartbeat_that_asks_for_an_interval_tells_the_version_too(block: Block, phone: MakePhone) -> None:
    """... within two heartbeats of it: also where both of them are about another interval.

    After each of three messages a device asks twice for another interval. Expected: the second PONG at the
    latest tells the version of the message.
    """
    sender, recipient = block.pick(2)
    source, target = phone(sender), phone(recipient)
    for number in range(1, 4):
        source.say(recipient.user, b"%d" % number)
        target.await_push(b"%d" % number)
        for heartbeat_s in (40 + number, 50 + number):
            target.wire.send(Ping(heartbeat_s))
            told = target.expect(Pong).version
        assert told == number, f"expected PONG to tell version {number}, it says {told}"


@on_a_connection("over polls nothing waits to be acknowledged")
@pytest.mark.needs("packages")
def test_a_heartbeat_tells_of_more_than_was_pushed(block: Block, phone: MakePhone) -> None:
    """A lost last push is noticed: also one that was never sent, because too many before it wait.

    More messages than a server has to keep for a connection come to a device that acknowledges none.
    Expected: its heartbeats tell how many there are, and a pull brings the last.
    """
    sender, recipient = block.pick(2)
    source, target = phone(sender), phone(recipient)
    for part in range(SLOW_READER_FRAMES // MAX_PACKAGE_ITEMS + 1):
        say_package(source, recipient.user, [b"%d" % part] * MAX_PACKAGE_ITEMS)
    last = source.say(recipient.user, b"the last")
    await_newest(target)
    newest = target.beat().version
    found = [entry.mid for entry in target.pull(newest - 1, 10).entries]
    assert found == [last.mid], f"expected a pull after {newest - 1} to bring {last.mid}, got {found}"


def test_what_a_device_claims_to_have_moves_no_heartbeat(block: Block, phone: MakePhone) -> None:
    """... the client knows that its version is behind: whatever it, or another device, believes to have.

    A device logs in with a version far beyond the newest, beside another one, and messages come. Expected:
    the heartbeats of both tell the version that the inbox has.
    """
    sender, recipient = block.pick(2)
    source, target = phone(sender), phone(recipient)
    boastful = phone(recipient, "boastful", version=2**40)
    for number in range(2):
        source.say(recipient.user, b"%d" % number)
        await_newest(target)
        await_newest(boastful)
