"""DLV.1: an acknowledged send reaches every device of every recipient exactly once at the application."""

import random
from collections import Counter
from collections.abc import Sequence

import gevent
import pytest

from conformance.accounts import Block
from conformance.clients import MakeDevice, MakePhone
from drivers.events import Acked
from drivers.pumps.blocking import Device
from protocol.messages import Message, Push, Sent
from protocol.names import conversation_between

pytestmark = pytest.mark.clause("DLV.1")


def shown(device: Device, expected: Sequence[bytes], timeout_s: float = 20.0) -> None:
    """Asserts that the application was shown each of `expected` once and, from others, nothing else."""
    for body in expected:
        device.await_delivered(body, timeout_s=timeout_s)
    own = device.identity.user
    counts = Counter(entry.body for entry in device.timeline() if entry.sender != own)
    assert counts == Counter(expected), (
        f"{device.name}: expected each acknowledged message to be shown once and nothing else; "
        f"differs in {(counts - Counter(expected)) + (Counter(expected) - counts)}"
    )


def test_every_online_device_of_every_recipient_shows_each_message_once(
    block: Block, device: MakeDevice
) -> None:
    """A send that was acknowledged is delivered to every device of every recipient exactly once.

    One user writes ten messages to a group whose four other members have two devices each. Expected: each of
    the eight devices shows the ten messages, each once.
    """
    sender, *members = block.members()
    devices = [device(user, name) for user in members for name in ("phone", "tablet")]
    for each in devices:
        each.log_in()
    source = device(sender)
    source.log_in()
    bodies = [f"to all {number}".encode() for number in range(10)]
    for body in bodies:
        source.send_and_await(block.group, body)
    for each in devices:
        shown(each, bodies)


def test_a_recipient_who_was_away_gets_each_message_once(block: Block, device: MakeDevice) -> None:
    """... whatever happens to connections in between: the recipient has none when the messages are sent.

    Three senders write while the recipient is away. Expected: once it logs in, it shows every message once.
    """
    recipient, *senders = block.pick(4)
    bodies = []
    for number, user in enumerate(senders):
        source = device(user)
        source.log_in()
        for turn in range(3):
            bodies.append(f"from {number}, {turn}".encode())
            source.send_and_await(recipient.user, bodies[-1])
    late = device(recipient)
    late.log_in()
    shown(late, bodies)


@pytest.mark.calm("it counts attempts, and faults add to them")
def test_lost_acknowledgements_do_not_multiply_a_message(block: Block, device: MakeDevice) -> None:
    """... exactly once: the sender cannot know that its send arrived, and sends it again.

    The path loses the first two acknowledgements of each send, so that each goes out three times. Expected:
    the recipient shows each message once.
    """
    sender, recipient = block.pick(2)
    target = device(recipient)
    target.log_in()
    source = device(sender, retransmit_start_s=0.1)
    lost: Counter[str] = Counter()

    def lose(direction: str, message: Message) -> bool:
        if isinstance(message, Sent):
            lost[message.cid] += 1
            return lost[message.cid] <= 2
        return False

    source.lose = lose
    source.log_in()
    bodies = [f"said again and again {number}".encode() for number in range(4)]
    for body in bodies:
        answer = source.send_and_await(recipient.user, body)
        assert answer.attempts == 3, f"the case expected three attempts, saw {answer.attempts}"
    shown(target, bodies)


def test_a_connection_cut_before_the_acknowledgement_does_not_multiply_a_message(
    block: Block, device: MakeDevice
) -> None:
    """... whatever happens to connections in between: here the sender's, between send and acknowledgement.

    The sender's connection is reset when the acknowledgement is on its way; the client comes back and sends
    again. Expected: the recipient shows each message once.
    """
    sender, recipient = block.pick(2)
    target, source = device(recipient), device(sender, reconnect_base_s=0.05)
    target.log_in()
    source.lose = lambda direction, message: isinstance(message, Sent)
    source.log_in()
    bodies = [f"cut {number}".encode() for number in range(4)]
    for body in bodies:
        cid = source.send(recipient.user, body)
        target.await_delivered(body)
        source.cut()
        source.lose = None
        source.await_event(Acked, lambda event, cid=cid: event.cid == cid)  # type: ignore[misc]
        source.lose = lambda direction, message: isinstance(message, Sent)
    shown(target, bodies)


def test_a_path_that_loses_half_of_all_pushes_loses_no_message(
    block: Block, device: MakeDevice, dice: random.Random
) -> None:
    """... delivered to every device: pushes that get lost are made good.

    Half of all pushes to two devices of the recipient get lost, while forty messages are sent. Expected: both
    devices show all forty, each once.
    """
    sender, recipient = block.pick(2)
    devices = [device(recipient, name, heartbeat_s=1) for name in ("phone", "tablet")]
    for each in devices:
        each.lose = lambda direction, message: isinstance(message, Push) and dice.random() < 0.5
        each.log_in()
    source = device(sender)
    source.log_in()
    bodies = [f"half {number}".encode() for number in range(40)]
    for body in bodies:
        source.send_and_await(recipient.user, body)
    for each in devices:
        shown(each, bodies)


def test_connections_that_break_all_the_time_lose_and_repeat_nothing(
    block: Block, device: MakeDevice, dice: random.Random
) -> None:
    """... whatever happens to connections in between: everybody's, at any moment.

    Three friends write to each other while their connections are reset at random. Expected: once it is quiet,
    each has shown every message that was acknowledged to the others, once.
    """
    users = block.pick(3)
    devices = [device(user, heartbeat_s=1, reconnect_base_s=0.05) for user in users]
    for each in devices:
        each.log_in()

    def talk(number: int) -> None:
        for turn in range(8):
            for user in users:
                if user is not users[number]:
                    body = f"{users[number].user} to {user.user}, {turn}".encode()
                    devices[number].send_and_await(user.user, body, timeout_s=20)

    talking = [gevent.spawn(talk, number) for number in range(3)]
    while not all(greenlet.ready() for greenlet in talking):
        gevent.sleep(dice.uniform(0.02, 0.1))
        dice.choice(devices).cut()
    gevent.joinall(talking, raise_error=True)
    for number, each in enumerate(devices):
        others = [user for user in users if user is not users[number]]
        own = users[number].user
        shown(each, [f"{other.user} to {own}, {turn}".encode() for other in others for turn in range(8)])


def test_a_device_that_logs_in_among_running_sends_misses_nothing(block: Block, device: MakeDevice) -> None:
    """... every device: also one that appears between two sends.

    While sixty messages are sent, six devices of the recipient log in one after the other, each new and
    empty. Expected: each shows all sixty, whether they were there before it or came after.
    """
    sender, recipient = block.pick(2)
    source = device(sender)
    source.log_in()
    bodies = [f"running {number}".encode() for number in range(60)]

    def send_all() -> None:
        for body in bodies:
            source.send_and_await(recipient.user, body)

    sending = gevent.spawn(send_all)
    devices = []
    for number in range(6):
        one = device(recipient, f"device-{number}", heartbeat_s=1)
        one.log_in()
        devices.append(one)
        gevent.sleep(0.02)
    sending.get()
    for each in devices:
        shown(each, bodies)


def test_a_message_is_shown_to_nobody_but_its_parties(block: Block, device: MakeDevice) -> None:
    """... to every device of every recipient, and so to no other.

    Two friends and a group talk; a third friend, who is not in the group, listens. Expected: he shows the one
    message that is for him.
    """
    one, other = block.pick(2)
    outsider = block.account(block.outsiders[0])
    bystander = device(outsider)
    bystander.log_in()
    source = device(one)
    source.log_in()
    source.send_and_await(other.user, b"for the other")
    source.send_and_await(block.group, b"for the group")
    acked = source.send_and_await(outsider.user, b"for you")
    shown(bystander, [b"for you"])
    assert acked.conversation == conversation_between(one.user, outsider.user), (
        f"expected the conversation of {one.user} and {outsider.user}, got {acked.conversation}"
    )


def test_whoever_of_a_group_writes_reaches_all_others(block: Block, phone: MakePhone) -> None:
    """... to every device of every recipient: whichever of them is the sender.

    Each member in turn writes to the group. Expected: every member's inbox has all of it, once and in order.
    """
    members = block.members()
    phones = [phone(user) for user in members]
    bodies = [f"of {each.user}".encode() for each in phones]
    for each, body in zip(phones, bodies, strict=True):
        each.say(block.group, body)
    for each in phones:
        found = [entry.body for entry in each.inbox()]
        assert found == bodies, f"{each.name}: expected {bodies}, found {found}"
