"""HBT for any dialect: what beats stays, what went silent is cleared, and a silent server is noticed."""

import time

import pytest

from conformance.accounts import Block
from conformance.clients import MakeDevice, MakeStrait
from conformance.deviations import Judge
from conformance.shown import await_beats, fresh
from conformance.strait import UP
from conformance.verdicts import Undecided
from drivers.events import Beat, Closed, CloseReason, LoggedIn
from protocol.limits import silence_limit_s

pytestmark = [pytest.mark.neutral, pytest.mark.waits]

_HEARTBEAT_S = 2
_SLACK_S = 1.0
"""For what the harness itself takes."""
_PATIENCE_S = 45.0


@pytest.mark.clause("HBT.1")
@pytest.mark.calm("it counts from what the server heard last, and a plan delays that")
def test_a_client_that_went_silent_is_cleared(
    block: Block, device: MakeDevice, strait: MakeStrait, judge: Judge
) -> None:
    """The server clears a connection whose peer vanished within 1.5 heartbeat intervals plus 2 s.

    A device with an interval of two seconds beats twice; then nothing of what it says gets through.
    Expected: the server ends the connection, not before one and a half intervals have passed since the last
    that it heard, and not later than two seconds after that.
    """
    (user,) = block.pick(1)
    way = strait()
    target = device(user, through=way, heartbeat_s=_HEARTBEAT_S)
    agreed_s = target.log_in().heartbeat_s
    if agreed_s > 3 * _HEARTBEAT_S:
        raise Undecided(
            f"the server insists on a heartbeat of {agreed_s} s; the case asks for {_HEARTBEAT_S}"
        )
    heartbeat_s = agreed_s or _HEARTBEAT_S
    await_beats(target, 2)
    way.hold(UP)
    silent_since = target.happened_at[-1]
    closed_at = way.await_closed(_PATIENCE_S)
    assert closed_at is not None, (
        f"expected an end after {1.5 * heartbeat_s} s of silence, there was none in {_PATIENCE_S} s"
    )
    after_s = closed_at - silent_since
    assert after_s >= heartbeat_s, (
        f"expected {1.5 * heartbeat_s} s of silence to be waited for, ended after {after_s:.1f} s"
    )
    judge(
        after_s <= 1.5 * heartbeat_s + 2.0 + _SLACK_S,
        "late_clearing",
        f"a client silent for {after_s:.1f} s was cleared only then, with a heartbeat of {heartbeat_s:g} s",
    )


@pytest.mark.clause("HBT.2")
def test_a_client_notices_a_server_that_went_silent(
    block: Block, device: MakeDevice, strait: MakeStrait
) -> None:
    """A client whose server or path vanished silently notices and reconnects.

    Nothing passes any more on the way of a device that beats every second; three seconds later a new
    connection would pass. Expected: it gives the connection up as silent, comes back, and shows what is sent
    then.
    """
    user, friend = block.pick(2)
    way = strait()
    target = device(user, through=way, heartbeat_s=1, reconnect_base_s=0.05)
    target.log_in()
    await_beats(target, 1)
    way.hold("up", "down")
    seen = len(target.events)
    began = time.monotonic()
    closed = target.await_event(Closed, since=seen, timeout_s=20.0)
    took_s = time.monotonic() - began
    assert closed.reason is CloseReason.SILENCE, f"expected the reason silence, got {closed}"
    limit_s = silence_limit_s(1) + 2.0
    assert took_s <= limit_s, f"expected it to be noticed within {limit_s} s, it took {took_s:.1f} s"
    way.cut()
    way.let("up", "down")
    target.await_event(LoggedIn, since=seen, timeout_s=20.0)
    source = device(friend)
    source.log_in()
    (body,) = fresh(1)
    source.send_and_await(user.user, body)
    target.await_delivered(body)


@pytest.mark.clause("HBT.3")
def test_a_client_that_beats_is_kept(block: Block, device: MakeDevice) -> None:
    """A connection with timely heartbeats is never cleared.

    A device beats every two seconds and says nothing else, five times. Expected: every beat is answered, and
    the connection lasts.
    """
    (user,) = block.pick(1)
    target = device(user, heartbeat_s=_HEARTBEAT_S)
    target.log_in()
    await_beats(target, 5, timeout_s=30.0)
    assert not target.all_of(Closed), f"expected the connection to last, got {target.all_of(Closed)}"


@pytest.mark.clause("HBT.3")
def test_any_message_is_a_sign_of_life(block: Block, device: MakeDevice, judge: Judge) -> None:
    """... any frame counts as a sign of life.

    A device asks for an interval of two seconds, and sends a message every half second for eight seconds,
    beating as it does. Expected: its connection lasts.
    """
    user, friend = block.pick(2)
    source = device(user, heartbeat_s=_HEARTBEAT_S)
    source.log_in()
    target = device(friend)
    target.log_in()
    for body in fresh(4 * 2 * _HEARTBEAT_S):
        source.send_and_await(friend.user, body)
        target.await_delivered(body)
        time.sleep(0.5)
    assert not source.all_of(Closed), f"expected the connection to last, got {source.all_of(Closed)}"
    assert source.all_of(Beat), "expected heartbeats to be answered meanwhile"
