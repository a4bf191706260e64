"""Devices of ours among themselves, through a real prosody."""

import time

import pytest

from drivers import events
from drivers.contract import Identity
from drivers.events import CloseReason
from drivers.policy import Policy
from drivers.pumps.blocking import Device

_QUICK = Policy(heartbeat_s=60, reconnect_base_s=0.05, reconnect_cap_s=0.5)


def _device(prosody, identity: Identity, carrier: str = "tcp", query: str = "") -> Device:
    return Device((prosody.target(carrier, query),), identity, policy=_QUICK)


def _shown(device: Device, *bodies: bytes) -> list[str]:
    return [device.await_delivered(body).via for body in bodies]


@pytest.mark.parametrize(
    ("carrier", "query"),
    [
        ("tcp", "sasl=SCRAM-SHA-1"),
        ("tcp", "sasl=PLAIN"),
        ("ws", ""),
        ("tls", ""),
        ("starttls", "sasl=PLAIN"),
    ],
)
def test_messages_pass_over_every_carrier(prosody, carrier: str, query: str) -> None:
    ann, bob = prosody.identity(), prosody.identity()
    with _device(prosody, ann, carrier, query) as one, _device(prosody, bob, carrier, query) as other:
        one.log_in()
        other.log_in()
        body = bytes(range(256))
        acked = one.send_and_await(bob.user, body)
        assert (acked.sequence, acked.attempts) == (None, 1)
        assert _shown(other, body) == ["push"]
        other.client.beat(time.monotonic())
        other._pump.wake()
        other.await_event(events.Beat)


def test_a_wrong_password_is_refused_for_good(prosody) -> None:
    ann = prosody.identity()
    with _device(prosody, Identity(ann.user, "d0", "wrong")) as device:
        device.start()
        assert device.await_event(events.Refused).code == 401


def test_every_other_device_of_both_sides_sees_a_message_once(prosody) -> None:
    ann, bob = prosody.identity(), prosody.identity()
    second = [Identity(each.user, "d1", each.secret) for each in (ann, bob)]
    with (
        _device(prosody, ann) as one, _device(prosody, second[0]) as other_of_one,
        _device(prosody, bob) as two, _device(prosody, second[1]) as other_of_two,
    ):  # fmt: skip
        for device in (one, other_of_one, two, other_of_two):
            device.log_in()
        one.send_and_await(bob.user, b"to all devices")
        for device in (other_of_one, two, other_of_two):
            assert _shown(device, b"to all devices") == ["push"]
        two.send_and_await(ann.user, b"and back")
        assert _shown(one, b"and back") == ["push"]
        for device in (one, other_of_one, two, other_of_two):
            assert len({entry.body for entry in device.timeline()}) == len(device.timeline())


def test_a_group_reaches_everybody_in_it_also_who_was_away(prosody) -> None:
    ann, bob = prosody.identity(), prosody.identity()
    group = f"g:{ann.user}"
    ann, bob = (Identity(each.user, "d0", each.secret, (group,)) for each in (ann, bob))
    with _device(prosody, ann) as one, _device(prosody, bob) as other:
        one.start()
        other.start()
        one.await_event(events.LoggedIn)
        other.await_event(events.LoggedIn)
        one.send_and_await(group, b"to the group")
        assert _shown(other, b"to the group") == ["push"]
        other.leave()
        one.send_and_await(group, b"while away")
        one.send_and_await(bob.user, b"to you alone")
        other.log_in()
        assert _shown(other, b"while away", b"to you alone") == ["pull", "pull"]
        assert other.timeline(group)[0].sender == ann.user


def test_a_lost_stream_is_resumed_and_nothing_is_missing_or_twice(prosody) -> None:
    ann, bob = prosody.identity(), prosody.identity()
    with _device(prosody, ann) as one, _device(prosody, bob) as other:
        one.log_in()
        other.log_in()
        for number in range(5):
            other.cut()
            seen = len(other.events)
            for part in range(3):
                one.send(bob.user, b"%d.%d" % (number, part))
            one.cut()
            other.await_event(events.LoggedIn, since=seen)
            _shown(other, *(b"%d.%d" % (number, part) for part in range(3)))
        bodies = [entry.body for entry in other.timeline()]
        assert bodies == [b"%d.%d" % (number, part) for number in range(5) for part in range(3)]


def test_the_same_device_replaces_itself_and_is_told_so(prosody) -> None:
    ann = prosody.identity()
    with _device(prosody, ann) as one, _device(prosody, ann) as again:
        one.log_in()
        again.log_in()
        assert one.await_event(events.Closed).reason is CloseReason.REPLACED


def test_a_killed_server_comes_back_with_all_that_it_had_acknowledged(prosody_alone) -> None:
    ann, bob = prosody_alone.identity(), prosody_alone.identity()
    with _device(prosody_alone, ann) as one, _device(prosody_alone, bob) as other:
        one.log_in()
        other.log_in()
        one.send_and_await(bob.user, b"before")
        _shown(other, b"before")
        other.leave()
        one.send_and_await(bob.user, b"while away")
        prosody_alone.started.kill()
        one.await_event(events.Closed)
        one.send(bob.user, b"while it is gone")
        prosody_alone.started.start()
        other.log_in(timeout_s=60)
        _shown(other, b"while away", b"while it is gone")
        assert [entry.body for entry in other.timeline()] == [b"before", b"while away", b"while it is gone"]
