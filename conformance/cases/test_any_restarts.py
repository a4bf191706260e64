"""ARC.3 and DLV.7 for any dialect: what a server that was started for the run has after a stop and a kill."""

import pytest

from conformance.accounts import Block
from conformance.clients import MakeDevice
from conformance.deviations import Judge
from conformance.shown import (
    assert_each_once,
    first_out_of_order,
    fresh,
    judge_repeats,
    order_shown,
    times_shown,
)
from conformance.started import StartedServer
from drivers.events import Acked, LoggedIn
from drivers.pumps.blocking import Device
from drivers.pumps.wire import Expected

pytestmark = pytest.mark.neutral

_BACK_S = 30.0


@pytest.mark.clause("ARC.3")
@pytest.mark.needs("offline")
def test_what_waited_is_there_after_a_restart(
    block: Block, device: MakeDevice, started: StartedServer
) -> None:
    """Accounts, relationships and messages survive a restart.

    Twenty messages wait for a device that is away; the server is stopped and started again. Expected: the
    device logs in as before and shows each once.
    """
    sender, recipient = block.pick(2)
    target, source = device(recipient), device(sender)
    target.log_in()
    target.leave()
    source.log_in()
    bodies = fresh(20)
    for body in bodies:
        source.send_and_await(recipient.user, body)
    source.leave()
    started.stop()
    started.start()
    target.log_in(_BACK_S)
    assert_each_once(target, bodies)


@pytest.mark.clause("DLV.7")
@pytest.mark.needs("offline")
def test_what_was_acknowledged_survives_a_kill(
    block: Block, device: MakeDevice, started: StartedServer, judge: Judge
) -> None:
    """An acknowledged message survives kill -9 of any process at any moment.

    Twenty messages wait for a device that is away; the server is killed as soon as the last is acknowledged,
    and started again. Expected: the device shows each once.
    """
    sender, recipient = block.pick(2)
    target, source = device(recipient), device(sender)
    target.log_in()
    target.leave()
    source.log_in()
    bodies = fresh(20)
    for body in bodies:
        source.send_and_await(recipient.user, body)
    started.kill()
    started.start()
    target.log_in(_BACK_S)
    _judge_loss(target, bodies, judge)


@pytest.mark.clause("DLV.7")
@pytest.mark.needs("offline")
def test_clients_go_on_over_a_kill(
    block: Block, device: MakeDevice, started: StartedServer, judge: Judge
) -> None:
    """... at any moment: here while both are online and messages are under way.

    Sixty messages are handed over at once; the server is killed when the twentieth is shown, and started
    again. Expected: all are acknowledged in the end, and shown once, in their order.
    """
    sender, recipient = block.pick(2)
    target, source = device(recipient, reconnect_base_s=0.1), device(sender, reconnect_base_s=0.1)
    target.log_in()
    source.log_in()
    bodies = fresh(60)
    cids = [source.send(recipient.user, body) for body in bodies]
    target.await_delivered(bodies[20], timeout_s=20.0)
    seen = len(target.events)
    started.kill()
    started.start()
    target.await_event(LoggedIn, since=seen, timeout_s=_BACK_S)
    for cid in cids:
        source.await_event(Acked, lambda event, cid=cid: event.cid == cid, timeout_s=_BACK_S)  # type: ignore[misc]
    _judge_loss(target, bodies, judge)
    wrong = first_out_of_order(order_shown(target, bodies), bodies)
    if times_shown(target, bodies).total() == len(bodies):
        judge(not wrong, "order_of_redeliveries", f"{target.name}, after the kill: {wrong}")
    judge_repeats(judge, target, bodies)


def _judge_loss(target: Device, bodies: list[bytes], judge: Judge) -> None:
    try:
        assert_each_once(target, bodies, timeout_s=10.0)
    except Expected:
        missing = [body for body in bodies if not times_shown(target, [body])]
        judge(
            False,
            "acknowledged_messages_lost_by_a_kill",
            f"{len(missing)} of {len(bodies)} acknowledged messages were not shown after the kill, "
            f"{missing[0]!r} first",
        )
