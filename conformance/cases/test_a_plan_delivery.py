"""DLV.1, ORD.2, ORD.3 and UNR.3 for as long as a fault plan lasts: friends write to each other meanwhile."""

import gevent
import pytest

from conformance.accounts import Block
from conformance.cases.test_dlv_1_exactly_once import shown
from conformance.cases.test_ord_order import assert_timeline_always_in_order
from conformance.clients import MakeDevice
from conformance.target import Target
from conformance.under_a_plan import a_round, talk, weather_of
from protocol.names import conversation_between

pytestmark = pytest.mark.lasts


@pytest.mark.clause("DLV.1")
def test_whatever_a_plan_breaks_each_message_is_shown_once(
    block: Block, device: MakeDevice, target: Target
) -> None:
    """A send that was acknowledged is delivered to every device of every recipient exactly once, whatever
    happens to connections in between.

    Through all phases of the plan a user writes ten messages a second to another, who has two devices.
    Expected: each is acknowledged in the end, and each device shows it, once.
    """
    until = a_round(weather_of(target))[-1].end
    sender, recipient = block.pick(2)
    source, *devices = device(sender), device(recipient), device(recipient, "tablet")
    for each in (source, *devices):
        each.log_in()
    bodies = talk(source, recipient.user, until)
    for each in devices:
        shown(each, bodies)


@pytest.mark.clause("ORD.2")
def test_whatever_a_plan_breaks_senders_keep_their_order(
    block: Block, device: MakeDevice, target: Target
) -> None:
    """Messages of one sender in one conversation keep the order in which they were first sent, also under
    loss, retransmission and reconnection.

    Through all phases of the plan a user hands over ten messages a second to another, without waiting for
    answers. Expected: they have the order of their handing over.
    """
    until = a_round(weather_of(target))[-1].end
    sender, recipient = block.pick(2)
    source, sink = device(sender), device(recipient)
    source.log_in()
    sink.log_in()
    bodies = talk(source, recipient.user, until)
    sink.await_delivered(bodies[-1])
    got = [entry.body for entry in sink.timeline(conversation_between(sender.user, recipient.user))]
    wrong = next((pair for pair in zip(got, bodies, strict=False) if pair[0] != pair[1]), None)
    assert wrong is None, f"expected {wrong and wrong[1]!r} in this place, got {wrong and wrong[0]!r}"


@pytest.mark.clause("ORD.3")
def test_whatever_a_plan_breaks_a_timeline_is_in_order(
    block: Block, device: MakeDevice, target: Target
) -> None:
    """A client that receives out of order inserts by id: its timeline is in order after every delivery.

    Through all phases of the plan two users write to each other. Expected: after every delivery each has the
    conversation in its order, whatever came by pushes and what by pulls.
    """
    until = a_round(weather_of(target))[-1].end
    one, other = block.pick(2)
    left, right = device(one), device(other)
    left.log_in()
    right.log_in()
    talking = [gevent.spawn(talk, left, other.user, until), gevent.spawn(talk, right, one.user, until)]
    gevent.joinall(talking, raise_error=True)
    left.await_delivered(talking[1].get()[-1])
    right.await_delivered(talking[0].get()[-1])
    assert_timeline_always_in_order(left)
    assert_timeline_always_in_order(right)


@pytest.mark.clause("UNR.3")
def test_whatever_a_plan_breaks_counts_stay_exact(block: Block, device: MakeDevice, target: Target) -> None:
    """Counts stay exact under retransmission, concurrent sends, and kill -9.

    Through all phases of the plan two users write to a third, who reads nothing. Expected: in the end there
    are as many unread as were acknowledged, of each and in all.
    """
    until = a_round(weather_of(target))[-1].end
    reader, *friends = block.pick(3)
    sources = [device(friend) for friend in friends]
    for source in sources:
        source.log_in()
    talking = [gevent.spawn(talk, source, reader.user, until) for source in sources]
    gevent.joinall(talking, raise_error=True)
    late = device(reader)
    late.log_in()
    counts = late.unread()
    got = {count.conversation: count.unread for count in counts.counts if count.unread}
    wanted = {
        conversation_between(friend.user, reader.user): len(job.get())
        for friend, job in zip(friends, talking, strict=True)
    }
    assert (counts.total, got) == (sum(wanted.values()), wanted), (
        f"expected {wanted}, {sum(wanted.values())} in all, got {got}, {counts.total} in all"
    )
