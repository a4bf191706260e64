"""DLV.1 to DLV.3 for any dialect: what is acknowledged is shown once, whatever happens to connections.

Connections go by way of a strait, which holds what passes or drops them; the rest is the client's.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import gevent
import pytest

from conformance.accounts import Block
from conformance.clients import MakeDevice, MakeStrait
from conformance.deviations import Judge
from conformance.shown import assert_each_once, await_beats, fresh, judge_repeats, order_shown
from conformance.strait import DOWN, UP
from conformance.wirelog import told
from drivers.events import Acked, Closed, Delivered, Event, LoggedIn, Rejected, Repeated
from drivers.pumps.wire import Expected

pytestmark = [pytest.mark.neutral, pytest.mark.waits]

SOON: dict[str, Any] = {"reconnect_base_s": 0.05}
"""How a client comes back in cases that cut connections."""


@pytest.mark.clause("DLV.1")
def test_what_is_acknowledged_is_shown_once(block: Block, device: MakeDevice) -> None:
    """A send that was acknowledged is delivered to every device of every recipient exactly once.

    One user writes twenty messages to another, each after the acknowledgement of the one before. Expected:
    the other's device shows each of them, once.
    """
    sender, recipient = block.pick(2)
    target, source = device(recipient), device(sender)
    target.log_in()
    source.log_in()
    bodies = fresh(20)
    for body in bodies:
        source.send_and_await(recipient.user, body)
    assert_each_once(target, bodies)


@pytest.mark.clause("DLV.1")
@pytest.mark.needs("groups")
def test_every_member_of_a_group_shows_it_once(block: Block, device: MakeDevice) -> None:
    """... every device of every recipient: a group has several.

    One member writes ten messages to the group. Expected: the devices of three others show each, once.
    """
    sender, *members = block.members()[:4]
    targets = [device(user) for user in members]
    for each in targets:
        each.log_in()
    source = device(sender)
    source.log_in()
    bodies = fresh(10, "to the group")
    for body in bodies:
        source.send_and_await(block.group, body)
    for each in targets:
        assert_each_once(each, bodies)


@pytest.mark.clause("DLV.1")
def test_bodies_are_bytes_of_any_kind_and_length(block: Block, device: MakeDevice) -> None:
    """... delivered: what arrives is what was sent.

    Bodies of every byte there is, of line ends and markup, of 1, 127, and 128 bytes. Expected: each is shown
    as it was sent.
    """
    sender, recipient = block.pick(2)
    target, source = device(recipient), device(sender)
    target.log_in()
    source.log_in()
    (mark,) = fresh(1)
    bodies = [mark + bytes(range(256)), mark + b"\r\n<a>&amp;]]>\0 \xff\xfe", mark[:1]]
    bodies += [_long(mark, size) for size in (127, 128)]
    for body in bodies:
        source.send_and_await(recipient.user, body)
    assert_each_once(target, bodies)


@pytest.mark.clause("DLV.1")
def test_large_bodies_arrive_or_are_refused(block: Block, device: MakeDevice, judge: Judge) -> None:
    """... delivered: also what is large, where it was acknowledged.

    Bodies of 4,096, 16,383, 16,384, and 32,768 bytes. Expected: each is acknowledged, and shown as it was
    sent.
    """
    sender, recipient = block.pick(2)
    target, source = device(recipient), device(sender)
    target.log_in()
    source.log_in()
    (mark,) = fresh(1)
    for body in (_long(mark, size) for size in (4096, 16383, 16384, 32768)):
        seen = len(source.events)
        cid = source.send(recipient.user, body)
        answer = source.await_event(Event, _decides(cid), since=seen)
        if not isinstance(answer, Acked):
            judge(False, "large_bodies_are_refused", f"a body of {len(body):,} bytes: {told(answer)}")
            return
        try:
            assert_each_once(target, [body], timeout_s=5.0)
        except Expected as error:
            raise AssertionError(f"a body of {len(body):,} bytes was acknowledged and not shown") from error


def _long(mark: bytes, size: int) -> bytes:
    return (mark * (size // len(mark) + 1))[:size]


def _decides(cid: str) -> Callable[[Event], bool]:
    """Whether an event is the answer to a send, or the end of its connection."""
    return lambda event: (
        isinstance(event, Closed) or (isinstance(event, Acked | Rejected) and event.cid == cid)
    )


@pytest.mark.clause("DLV.1")
@pytest.mark.needs("offline", "redelivery")
def test_a_recipient_whose_connection_breaks_all_the_time(
    block: Block, device: MakeDevice, strait: MakeStrait, judge: Judge
) -> None:
    """... whatever happens to connections in between: here those of the recipient.

    While forty messages are sent, the recipient's connection is cut five times. Expected: it shows each
    message once.
    """
    sender, recipient = block.pick(2)
    way = strait()
    target, source = device(recipient, through=way, **SOON), device(sender)
    target.log_in()
    source.log_in()
    bodies = fresh(40)
    for number, body in enumerate(bodies):
        source.send_and_await(recipient.user, body)
        if number % 8 == 4:
            way.cut()
    assert_each_once(target, bodies)
    judge_repeats(judge, target, bodies)


@pytest.mark.clause("DLV.1")
def test_a_sender_whose_connection_breaks_all_the_time(
    block: Block, device: MakeDevice, strait: MakeStrait
) -> None:
    """... whatever happens to connections in between: here those of the sender, with messages under way.

    Forty messages are handed over at once, and the connection is cut five times meanwhile. Expected: every
    one is acknowledged in the end, and shown once.
    """
    sender, recipient = block.pick(2)
    way = strait()
    target, source = device(recipient), device(sender, through=way, **SOON)
    target.log_in()
    source.log_in()
    bodies = fresh(40)
    cids = [source.send(recipient.user, body) for body in bodies]
    for share in range(1, 6):
        target.await_delivered(bodies[share * 7], timeout_s=20.0)
        way.cut()
    for cid in cids:
        source.await_event(Acked, lambda event, cid=cid: event.cid == cid, timeout_s=20.0)  # type: ignore[misc]
    assert_each_once(target, bodies)


@pytest.mark.clause("DLV.2")
def test_a_lost_acknowledgement_does_not_multiply_a_message(
    block: Block, device: MakeDevice, strait: MakeStrait, judge: Judge
) -> None:
    """A client that gets no acknowledgement retransmits with the same client message id.

    Four times, nothing comes down to the sender after it has sent, and its connection is cut once the
    recipient has the message, or after a second: it comes back and sends again. Expected: acknowledged then,
    and shown once.
    """
    sender, recipient = block.pick(2)
    way = strait()
    target, source = device(recipient), device(sender, through=way, **SOON)
    target.log_in()
    source.log_in()
    bodies = fresh(4)
    for body in bodies:
        way.hold(DOWN)
        cid = source.send(recipient.user, body)
        # A protocol that asks twice does not hand the message on before the answer, which does not come.
        with suppress(Expected):
            target.await_delivered(body, timeout_s=1.0)
        way.cut()
        way.let(DOWN)
        source.await_event(Acked, lambda event, cid=cid: event.cid == cid)  # type: ignore[misc]
    (last,) = fresh(1, "the last")
    source.send_and_await(recipient.user, last)
    assert_each_once(target, [*bodies, last])
    # Where inboxes are numbered, one entry that is pushed again is no second message.
    shown = {e.entry.body: e.entry.version for e in target.all_of(Delivered)}
    repeated = [e.entry for e in target.all_of(Repeated) if e.entry.body in bodies]
    copies = [entry for entry in repeated if not entry.version or entry.version != shown[entry.body]]
    judge(
        not copies,
        "a_repeated_send_is_a_second_message",
        f"the recipient got {len(copies)} of {len(bodies)} repeated sends twice, and its client kept them "
        f"from the application",
    )


@pytest.mark.clause("DLV.3")
@pytest.mark.needs("offline", "redelivery")
def test_what_a_device_did_not_acknowledge_comes_again(
    block: Block, device: MakeDevice, strait: MakeStrait, judge: Judge
) -> None:
    """A push that is not acknowledged is retransmitted.

    Nothing of what a device says gets up to the server while five messages come to it, then nothing comes
    down either while five more are sent, and the connection is cut; the device comes back. Expected: it
    shows all ten, each once; what came again was recognised.
    """
    sender, recipient = block.pick(2)
    way = strait()
    target = device(recipient, through=way, heartbeat_s=60, **SOON)
    source = device(sender)
    target.log_in()
    source.log_in()
    # What waited for the device from earlier is answered for, or it would stand in the way.
    gevent.sleep(0.5)
    bodies = fresh(10)
    way.hold(UP)
    for body in bodies[:5]:
        source.send_and_await(recipient.user, body)
    target.await_delivered(bodies[0])
    way.hold(DOWN)
    for body in bodies[5:]:
        source.send_and_await(recipient.user, body)
    way.cut()
    way.let(UP, DOWN)
    assert_each_once(target, bodies)
    judge_repeats(judge, target, bodies)
    found = order_shown(target, bodies)
    judge(found == bodies, "order_of_redeliveries", f"shown as {found} after the return")


@pytest.mark.clause("DLV.3")
@pytest.mark.needs("offline", "redelivery")
def test_what_was_acknowledged_does_not_come_again(
    block: Block, device: MakeDevice, strait: MakeStrait, judge: Judge
) -> None:
    """A push *that is not acknowledged* is retransmitted, and no other.

    A device gets ten messages and beats, so that the server has heard of them all; its connection is cut
    twice. Expected: none of the ten comes again.
    """
    sender, recipient = block.pick(2)
    way = strait()
    target = device(recipient, through=way, heartbeat_s=1, **SOON)
    source = device(sender)
    target.log_in()
    source.log_in()
    bodies = fresh(10)
    for body in bodies:
        source.send_and_await(recipient.user, body)
    assert_each_once(target, bodies)
    await_beats(target, 2)
    heard = len(target.events)
    for _ in range(2):
        await_beats(target, 2)
        seen = len(target.events)
        way.cut()
        target.await_event(LoggedIn, since=seen)
    (last,) = fresh(1, "after the return")
    source.send_and_await(recipient.user, last)
    target.await_delivered(last)
    since = (e for e in target.events[heard:] if isinstance(e, Repeated))
    again = [e.entry.body for e in since if e.entry.body in bodies]
    judge(not again, "acknowledged_messages_come_again", f"came again although acknowledged: {again}")


@pytest.mark.clause("CHN.2")
@pytest.mark.only_over(
    "tcp", "tls", "starttls", "ws", "wss", "longpoll",
    why="a short poll is answered at once, and what is new waits for the next",
)  # fmt: skip
def test_what_comes_is_pushed_without_being_asked_for(block: Block, device: MakeDevice) -> None:
    """Messages are received by push on the long connection.

    A device with a heartbeat of a minute is idle when a message is sent to it. Expected: it is shown within
    five seconds, by a push.
    """
    sender, recipient = block.pick(2)
    target, source = device(recipient, heartbeat_s=60), device(sender)
    target.log_in()
    source.log_in()
    gevent.sleep(0.5)
    (body,) = fresh(1)
    source.send_and_await(recipient.user, body)
    came: Delivered = target.await_delivered(body, timeout_s=5.0)
    assert came.via != "pull", f"{target.name}: expected a push, it came by {came.via}"
