"""What MQTT says packet by packet, where a client would not look or would not speak like that."""

import secrets
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import gevent
import pytest

from conformance.accounts import Block, User
from conformance.bare_mqtt import (
    CONNECT,
    PINGREQ,
    PUBACK,
    PUBCOMP,
    PUBLISH,
    PUBREC,
    PUBREL,
    BareMqtt,
    Packet,
)
from conformance.deviations import Judge
from conformance.shown import first_out_of_order, fresh
from conformance.target import Target
from conformance.verdicts import Undecided
from drivers.pumps.wire import Expected

pytestmark = [
    pytest.mark.speaks("mqtt"),
    pytest.mark.only_over("tcp", why="the case speaks packets over plain TCP"),
]
Connect = Callable[..., BareMqtt]
_MORE_S = 3.0
_WINDOW = 10
"""So many messages are under way at a time, unless a case is about that: fewer than brokers commonly take."""


@pytest.fixture
def connect(target: Target) -> Iterator[Connect]:
    """`connect(user, name, **how)`: a bare connection that was let in."""
    # A session outlives its case, and the next with the same accounts must not go on with it.
    mark = secrets.token_hex(4)
    with ExitStack() as stack:

        def make(user: User, name: str, **how: bool) -> BareMqtt:
            connection = stack.enter_context(BareMqtt(target.endpoints[0].address))
            connection.connect(user.user, user.token, f"{user.user}-{name}-{mark}", **how)
            return connection

        yield make


def _topic(user: User) -> str:
    return f"cases/{user.user}/{fresh(1)[0][-8:].decode()}"


@pytest.mark.clause("ORD.2")
@pytest.mark.by("MQTT-4.6.0-6")
@pytest.mark.parametrize("qos", [1, 2])
def test_one_topic_and_qos_keep_their_order(block: Block, connect: Connect, qos: int) -> None:
    """A Server MUST send PUBLISH packets (for the same Topic and QoS) in the order received.

    Fifty messages of one QoS to one topic, ten of them under way at any time. Expected: what comes is in the
    order of sending; whether all come is another clause's.
    """
    sender, recipient = block.pick(2)
    topic, bodies = _topic(sender), fresh(50)
    reader, writer = connect(recipient, "reader", clean=True), connect(sender, "writer", clean=True)
    reader.subscribe(topic, qos)
    _publish_all(writer, topic, bodies, [qos] * 50)
    came = [packet.payload for packet in reader.publishes(50)]
    wrong = first_out_of_order(came, _those_that_came(bodies, came))
    assert not wrong, f"QoS {qos}: expected the order of sending, {wrong}"


@pytest.mark.clause("DLV.1")
@pytest.mark.by("MQTT-4.3.2-2", "MQTT-4.3.3-2")
@pytest.mark.parametrize("qos", [1, 2])
def test_all_that_was_completed_is_delivered(block: Block, connect: Connect, qos: int) -> None:
    """The receiver of a PUBLISH at QoS 1 or 2 has accepted ownership of the message, and delivers it.

    Fifty messages of one QoS to one topic, sent without waiting in between, and acknowledged in full, or the
    connection of their sender is ended. Expected: those that were acknowledged in full are delivered.
    """
    sender, recipient = block.pick(2)
    topic, bodies = _topic(sender), fresh(50)
    reader, writer = connect(recipient, "reader", clean=True), connect(sender, "writer", clean=True)
    reader.subscribe(topic, qos)
    completed = _publish_all(writer, topic, bodies, [qos] * 50, window=50)
    came = {packet.payload for packet in reader.publishes(len(bodies))}
    lost = [body for body in completed if body not in came]
    assert not lost, (
        f"QoS {qos}: expected the {len(completed)} that were acknowledged in full, {len(lost)} did not come"
    )


@pytest.mark.clause("ORD.2")
@pytest.mark.by("MQTT-4.6.0-6")
@pytest.mark.parametrize("is_away", [False, True], ids=["online", "stored"])
def test_order_across_qos_1_and_2(block: Block, connect: Connect, judge: Judge, is_away: bool) -> None:
    """Messages of one sender in one conversation keep the order in which they were first sent.

    Sixty messages to one topic, at QoS 1 and 2 in turn, to a session that is online or away. Expected: each
    QoS keeps its order; whether both together do is for the standard to say, which promises it for one only.
    """
    sender, recipient = block.pick(2)
    topic, bodies = _topic(sender), fresh(60)
    reader = connect(recipient, "reader")
    reader.subscribe(topic, 2)
    if is_away:
        reader.close()
    writer = connect(sender, "writer", clean=True)
    levels = {body: 1 + number % 2 for number, body in enumerate(bodies)}
    sending = gevent.spawn(_publish_all, writer, topic, bodies, list(levels.values()))
    if is_away:
        sending.get()
        reader = connect(recipient, "reader")
    came = [packet.payload for packet in reader.publishes(60)]
    sending.get()
    bodies = _those_that_came(bodies, came)
    for qos in (1, 2):
        own = [body for body in bodies if levels[body] == qos]
        wrong = first_out_of_order([body for body in came if body in own], own)
        assert not wrong, f"expected the order within QoS {qos}, {wrong}"
    wrong = first_out_of_order(came, bodies)
    judge(not wrong, "order_across_qos", f"QoS 1 and 2 in turn: {wrong}")


@pytest.mark.clause("DLV.3")
@pytest.mark.by("MQTT-4.4.0-1", "MQTT-3.3.1-1")
@pytest.mark.parametrize("qos", [1, 2])
def test_what_was_not_acknowledged_comes_again_with_dup(block: Block, connect: Connect, qos: int) -> None:
    """The Server MUST re-send unacknowledged PUBLISH with their original identifiers; DUP MUST be set.

    Five messages are sent to a session, which acknowledges none of those that come, and its connection ends;
    it connects again. Expected: the five come in their order, those that had come with the same identifiers
    and DUP.
    """
    sender, recipient = block.pick(2)
    topic, bodies = _topic(sender), fresh(5)
    reader, writer = connect(recipient, "reader"), connect(sender, "writer", clean=True)
    reader.subscribe(topic, qos)
    _publish_all(writer, topic, bodies, [qos] * 5)
    first = _unanswered(reader, 5)
    reader.close()
    again = connect(recipient, "reader").publishes(5)
    came = [packet.payload for packet in again]
    assert came == bodies, f"expected the five again in their order, got {came}"
    repeats = again[: len(first)]
    marked = sum(packet.is_repeat for packet in repeats)
    assert marked == len(first), f"expected DUP on each of the {len(first)} that came again, {marked} had it"
    numbers, then = [packet.number for packet in repeats], [packet.number for packet in first]
    assert numbers == then, f"expected the identifiers {then} again, got {numbers}"


@pytest.mark.clause("DLV.2")
@pytest.mark.by("MQTT-4.3.3-2")
def test_a_repeat_at_qos_2_is_no_second_message(block: Block, connect: Connect) -> None:
    """Until it has received PUBREL, the receiver MUST acknowledge any repeat with PUBREC, delivering it once.

    A PUBLISH at QoS 2 is said three times before its PUBREL, the third over a new connection. Expected: three
    PUBREC, and one message.
    """
    sender, recipient = block.pick(2)
    topic, (body, last) = _topic(sender), fresh(2)
    reader, writer = connect(recipient, "reader", clean=True), connect(sender, "writer")
    reader.subscribe(topic, 2)
    writer.publish(topic, body, 2, 7)
    writer.expect(PUBREC)
    writer.publish(topic, body, 2, 7, repeat=True)
    writer.expect(PUBREC)
    writer.close()
    writer = connect(sender, "writer")
    writer.publish(topic, body, 2, 7, repeat=True)
    writer.expect(PUBREC)
    writer.answer(PUBREL, 7)
    writer.expect(PUBCOMP)
    _publish_all(writer, topic, [last], [2])
    came = [packet.payload for packet in reader.publishes(2)]
    assert came == [body, last], f"expected each once, got {came}"


@pytest.mark.clause("ROM.2")
@pytest.mark.by("MQTT-3.2.2-2", "MQTT-3.1.2-6")
def test_a_session_is_said_to_be_there(block: Block, target: Target) -> None:
    """If the Server has stored Session state, it MUST set Session Present in the CONNACK.

    A client id connects for the first time, again, with a clean session, and again. Expected: Session Present
    is 0, 1, 0, 0.
    """
    (user,) = block.pick(1)
    name = f"{user.user}-{fresh(1)[0][-8:].decode()}"
    present = []
    for clean in (False, False, True, False):
        with BareMqtt(target.endpoints[0].address) as connection:
            present.append(connection.connect(user.user, user.token, name, clean=clean).body[0])
    assert present == [0, 1, 0, 0], f"expected Session Present 0, 1, 0, 0, got {present}"


@pytest.mark.clause("SEC.6")
@pytest.mark.by("MQTT-3.1.0-1", "MQTT-3.1.0-2")
def test_who_breaks_the_protocol_is_cut_off(block: Block, connect: Connect, target: Target) -> None:
    """The first packet MUST be a CONNECT, and a second CONNECT MUST disconnect the client.

    One connection begins with PINGREQ, another says CONNECT twice. Expected: both are ended.
    """
    (user,) = block.pick(1)
    with BareMqtt(target.endpoints[0].address) as stranger:
        stranger.say(PINGREQ, b"")
        assert stranger.next() is None, "expected the end after a PINGREQ without a CONNECT"
    twice = connect(user, "twice", clean=True)
    twice.say(CONNECT, b"\0\4MQTT\4\2\0\x3c\0\5twice")
    assert twice.next() is None, "expected the end after a second CONNECT"


def _publish_all(
    writer: BareMqtt, topic: str, bodies: list[bytes], levels: list[int], window: int = _WINDOW
) -> list[bytes]:
    """Said one after the other, at most `window` at a time without an acknowledgement in full; those that got
    one, which are not all where the broker ends the connection, as it may for too much (MQTT-4.8.0-2)."""
    waiting = deque(enumerate(zip(bodies, levels, strict=True), 1))
    under_way: set[int] = set()
    completed: set[int] = set()
    with suppress(ConnectionError):
        while waiting or under_way:
            while waiting and len(under_way) < window:
                number, (body, qos) = waiting.popleft()
                under_way.add(number)
                writer.publish(topic, body, qos, number)
            packet = writer.next()
            if packet is None:
                break
            if packet.kind == PUBREC:
                writer.answer(PUBREL, packet.number)
            elif packet.kind in (PUBACK, PUBCOMP):
                under_way.discard(packet.number)
                completed.add(packet.number)
    return [body for number, body in enumerate(bodies, 1) if number in completed]


def _unanswered(reader: BareMqtt, count: int) -> list[Packet]:
    """The PUBLISH that come without an answer to any: at most `count`, and one at least, since how many a
    broker has under way is for it to choose. Raises Expected."""
    found = [reader.expect(PUBLISH)]
    with suppress(Expected):
        while len(found) < count:
            found.append(reader.expect(PUBLISH, timeout_s=_MORE_S))
    return found


def _those_that_came(bodies: list[bytes], came: list[bytes]) -> list[bytes]:
    """In the order of sending. Raises Undecided for too few to show any order."""
    found = [body for body in bodies if body in set(came)]
    if len(found) < len(bodies) // 3:
        raise Undecided(f"only {len(found)} of {len(bodies)} came, too few to show an order")
    return found
