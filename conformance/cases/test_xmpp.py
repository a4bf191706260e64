"""What XMPP's stream management does where a connection breaks in the middle of it."""

import pytest

from conformance.accounts import Block
from conformance.clients import MakeDevice, MakeStrait
from conformance.deviations import Judge
from conformance.shown import assert_each_once, fresh, times_shown
from conformance.strait import DOWN, UP, Strait
from drivers.events import LoggedIn, Repeated
from drivers.pumps.blocking import Device
from drivers.pumps.wire import Expected

pytestmark = [
    pytest.mark.speaks("xmpp"),
    pytest.mark.needs("resumption"),
    pytest.mark.only_over("tcp", why="the case looks for an element in the bytes of the stream"),
]


@pytest.mark.clause("DLV.3")
@pytest.mark.by("XEP-0198 5")
def test_what_was_replayed_and_not_acknowledged(
    block: Block, device: MakeDevice, strait: MakeStrait, judge: Judge
) -> None:
    """A push that is not acknowledged is retransmitted: also the second time.

    Five messages do not get through to a device before its connection is cut. It resumes its stream, the
    server replays them, and nothing of what the device says about that gets up before the connection is cut
    again. Expected: each is shown once; what comes again after the second return is recognised, and told.
    """
    sender, recipient = block.pick(2)
    way = strait()
    target = device(recipient, through=way, heartbeat_s=60, reconnect_base_s=0.05)
    source = device(sender)
    bodies = _replayed(way, source, target)
    seen = len(target.events)
    way.cut()
    way.let(UP)
    target.await_event(LoggedIn, since=seen, timeout_s=20.0)
    (last,) = fresh(1, "after the second return")
    source.send_and_await(recipient.user, last)
    assert_each_once(target, [*bodies, last])
    again = [event.entry.body for event in target.all_of(Repeated) if event.entry.body in bodies]
    judge(
        not again,
        "acknowledged_messages_come_again",
        f"{len(again)} of {len(bodies)} messages that were replayed came once more after the next return, "
        f"and the client kept them from the application",
    )


@pytest.mark.clause("DLV.3")
@pytest.mark.by("XEP-0198 5", "XEP-0313 4")
def test_what_was_replayed_and_goes_to_a_new_stream(
    block: Block, device: MakeDevice, strait: MakeStrait, judge: Judge
) -> None:
    """... retransmitted: also where the stream that has it is not resumed any more.

    As before, but instead of the second return the device logs in with a stream of its own and without any
    memory. Expected: it is shown what is sent then; what the first has shown already and comes again is told.
    """
    sender, recipient = block.pick(2)
    way = strait()
    target = device(recipient, through=way, heartbeat_s=60, reconnect_base_s=0.05)
    source = device(sender)
    bodies = _replayed(way, source, target)
    target.close()
    new = device(recipient)
    try:
        new.log_in()
    except Expected as error:
        judge(False, "the_newer_is_refused", f"while the old stream can be resumed: {error}")
        return
    (last,) = fresh(1, "to the new stream")
    source.send_and_await(recipient.user, last)
    assert_each_once(new, [last])
    again = times_shown(new, bodies)
    judge(
        not again,
        "acknowledged_messages_come_again",
        f"{again.total()} of {len(bodies)} messages that were shown before came once more to a new stream",
    )


def _replayed(way: Strait, source: Device, target: Device) -> list[bytes]:
    """Five messages that `target` has been shown from a resumed stream, of which the server has not heard:
    nothing goes up any more."""
    target.log_in()
    source.log_in()
    bodies = fresh(5)
    way.hold(DOWN)
    for body in bodies:
        source.send_and_await(target.identity.user, body)
    way.cut()
    way.hold_up_after(b"<resumed")
    way.let(DOWN)
    assert_each_once(target, bodies)
    return bodies
