"""Our dialect with a real mosquitto: every carrier, devices that were away, a broker that ends meanwhile."""

import random

import pytest

from drivers import events
from drivers.contract import Identity
from drivers.endpoints import parse_target
from drivers.policy import Policy
from drivers.pumps.blocking import Device

IMPATIENT = Policy(reconnect_base_s=0.2, reconnect_cap_s=0.5, dice=random.Random(1))


def device_of(url: str, identity: Identity) -> Device:
    return Device((parse_target(url),), identity, policy=IMPATIENT)


def shown(device: Device) -> list[bytes]:
    return [event.entry.body for event in device.all_of(events.Delivered)]


def came_online(device: Device) -> None:
    device.start()
    device.await_event(events.LoggedIn, timeout_s=60)


@pytest.mark.parametrize("version", ["3.1.1", "5"])
@pytest.mark.parametrize("carrier", ["tcp", "ws", "tls"])
def test_a_message_reaches_the_other_devices_of_both_over_every_carrier(
    broker, carrier: str, version: str
) -> None:
    url = broker.target(carrier, f"version={version}")
    ann, bob = broker.identity("phone"), broker.identity("phone")
    laptop = Identity(ann.user, "laptop", ann.secret)
    with device_of(url, ann) as phone, device_of(url, laptop) as other, device_of(url, bob) as friend:
        for device in (phone, other, friend):
            came_online(device)
        phone.send_and_await(bob.user, b"hello")
        for device in (other, friend):
            assert device.await_delivered(b"hello").entry.sender == ann.user
        friend.send_and_await(ann.user, b"and back")
        phone.await_delivered(b"and back")
        assert shown(phone) == [b"and back"]  # and not its own


@pytest.mark.parametrize("qos", [1, 2])
def test_who_was_away_is_brought_what_came_meanwhile(broker, qos: int) -> None:
    url = broker.target(query=f"qos={qos}")
    ann, bob = broker.identity(), broker.identity()
    with device_of(url, ann) as writer, device_of(url, bob) as reader:
        came_online(writer)
        came_online(reader)
        reader.leave()
        reader.await_event(events.Closed, timeout_s=60)
        for number in range(5):
            writer.send_and_await(bob.user, b"%d" % number)
        reader.start()
        reader.await_delivered(b"4")
        assert shown(reader) == [b"0", b"1", b"2", b"3", b"4"]


@pytest.mark.parametrize("query", ["qos=1", "version=5&qos=2"])
def test_a_broker_that_ends_and_comes_back_has_lost_nothing(broker, query: str) -> None:
    url = broker.target(query=query)
    ann, bob = broker.identity(), broker.identity()
    with device_of(url, ann) as writer, device_of(url, bob) as reader:
        came_online(writer)
        came_online(reader)
        reader.leave()
        reader.await_event(events.Closed, timeout_s=60)
        writer.send_and_await(bob.user, b"before")
        broker.started.stop()
        writer.await_event(events.Closed, timeout_s=60)
        cid = writer.send(bob.user, b"meanwhile")
        broker.started.start()
        writer.await_event(events.Acked, lambda event: event.cid == cid, timeout_s=60)
        reader.start()
        reader.await_delivered(b"meanwhile")
        assert shown(reader) == [b"before", b"meanwhile"]


def test_a_wrong_password_is_refused_for_good(broker) -> None:
    known = broker.identity()
    for version, code in (("3.1.1", 5), ("5", 0x87)):
        with device_of(
            broker.target(query=f"version={version}"), Identity(known.user, "d0", "wrong")
        ) as device:
            device.start()
            assert device.await_event(events.Refused, timeout_s=60).code == code
