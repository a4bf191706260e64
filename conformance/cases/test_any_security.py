"""SEC and DLV.8 for any dialect: who is let in, who sees what, and what broken bytes cost."""

import random
import time

import gevent.socket
import pytest

from conformance.accounts import Block, User
from conformance.clients import MakeDevice
from conformance.deviations import Judge
from conformance.shown import assert_each_once, fresh, times_shown
from conformance.target import Target
from conformance.verdicts import not_offered
from drivers.events import Acked, Closed, ConnectFailed, Event, LoggedIn, Refused, Rejected, Retransmitted
from drivers.pumps.blocking import Device

pytestmark = [pytest.mark.neutral, pytest.mark.waits]

_PATIENCE_S = 15.0


def _answer(device: Device) -> Event:
    device.start()
    return device.await_event(
        Event,
        lambda event: isinstance(event, LoggedIn | Refused | Closed | ConnectFailed),
        timeout_s=_PATIENCE_S,
    )


@pytest.mark.clause("SEC.5")
def test_nobody_is_let_in_with_a_wrong_secret(block: Block, device: MakeDevice, target: Target) -> None:
    """Without a valid token nothing but login answers.

    Somebody tries to log in as a user with a secret that is not the user's, with none, and as a user who does
    not exist. Expected: refused each time; the user itself is let in afterwards.
    """
    if not target.knows_secrets:
        not_offered("the accounts have no secrets: the server lets in whoever comes")
    (user,) = block.pick(1)
    wrong = [
        User(user.user, f"{user.token}x"),
        User(user.user, user.token[:-1] or "x"),
        User(f"nobody{fresh(1)[0][-8:].decode()}", f"{user.token}x"),
    ]
    for number, account in enumerate(wrong):
        answer = _answer(device(account, f"stranger{number}"))
        assert isinstance(answer, Refused), f"expected {account.user} to be refused, got {answer}"
    device(user).log_in()


@pytest.mark.clause("SEC.5")
def test_what_two_say_to_each_other_nobody_else_is_shown(block: Block, device: MakeDevice) -> None:
    """... no user can fetch what belongs to another.

    Two users write to each other while two others are online, one of them in the same group; one more
    message then goes to each of those. Expected: they are shown that one, and nothing of what the two said.
    """
    one, other, third, fourth = block.members()[:4]
    bystanders = [device(third), device(fourth)]
    talkers = [device(one), device(other)]
    for each in (*bystanders, *talkers):
        each.log_in()
    private = fresh(10, "private")
    for number, body in enumerate(private):
        to = (other, one)[number % 2]
        talkers[number % 2].send_and_await(to.user, body)
    for each in bystanders:
        (last,) = fresh(1, "for you")
        talkers[0].send_and_await(each.identity.user, last)
        each.await_delivered(last)
        seen = times_shown(each, private)
        assert not seen, f"{each.name}: expected nothing of what others said to each other, got {seen}"
    for each in talkers:
        for body in private:
            assert times_shown(each, [body])[body] <= 1, f"{each.name}: {body!r} was shown more than once"


@pytest.mark.clause("SEC.6")
def test_broken_bytes_cost_their_sender_the_connection_at_most(
    block: Block, device: MakeDevice, target: Target, dice: random.Random
) -> None:
    """Malformed and hostile input costs its sender the connection at most: no crash.

    Forty connections say random bytes, a line without an end, or zeros, 64 KiB each, while two users write
    to each other. Expected: each of these connections is ended or ignored, what the two say is acknowledged
    and shown, and the two stay connected.
    """
    one, other = block.pick(2)
    talker, listener = device(one), device(other)
    talker.log_in()
    listener.log_in()
    endpoint = target.endpoints[0]
    hostile = [dice.randbytes(65536), b"A" * 65536, b"\0" * 65536, b"<" * 65536]
    bodies = fresh(40)
    for number, body in enumerate(bodies):
        with gevent.socket.create_connection(endpoint.address, timeout=_PATIENCE_S) as bare:
            _say(bare, hostile[number % len(hostile)])
            talker.send_and_await(other.user, body)
    assert_each_once(listener, bodies)
    for each in (talker, listener):
        assert not each.all_of(Closed), f"{each.name}: expected to stay, got {each.all_of(Closed)}"


def _say(bare: gevent.socket.socket, data: bytes) -> None:
    try:
        bare.sendall(data)
    except OSError:
        return  # ended before it had said everything: what it had to expect


@pytest.mark.clause("DLV.8")
@pytest.mark.calm("a refusal that is late is met by repeats")
def test_a_send_to_nobody_gets_a_definite_answer(block: Block, device: MakeDevice, judge: Judge) -> None:
    """A send that cannot be accepted (unknown recipient) gets a definite error, and is never retried.

    A message goes to a user who does not exist. Expected: an error that names the send, and no repeat of it
    within three seconds; the connection goes on.
    """
    sender, recipient = block.pick(2)
    source, target = device(sender, retransmit_start_s=0.5), device(recipient)
    source.log_in()
    target.log_in()
    nobody = f"nobody{fresh(1)[0][-8:].decode()}"
    cid = source.send(nobody, b"is anybody there")
    answer = source.await_event(
        Event, lambda event: isinstance(event, Acked | Rejected) and event.cid == cid, timeout_s=_PATIENCE_S
    )
    judge(
        isinstance(answer, Rejected),
        "nobody_is_told_of_nobody",
        f"a message to {nobody}, whom nobody knows, was answered with {type(answer).__name__}",
    )
    time.sleep(3.0)
    repeats = [event for event in source.all_of(Retransmitted) if event.cid == cid]
    assert not repeats, f"expected no repeat of what was answered, got {repeats}"
    (body,) = fresh(1)
    source.send_and_await(recipient.user, body)
    target.await_delivered(body)
