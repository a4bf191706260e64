"""paho-mqtt as the oracle: it and our dialect exchange messages through a real mosquitto."""

from queue import Queue
from typing import Any

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from drivers import events
from drivers.contract import Identity, Outgoing
from drivers.dialects.mqtt import topics
from drivers.endpoints import parse_target
from drivers.pumps.blocking import Device

PROTOCOLS = {"3.1.1": paho.MQTTv311, "5": paho.MQTTv5}
EACH_WAY = [("3.1.1", 1), ("3.1.1", 2), ("5", 1), ("5", 2)]


class Paho:
    """A client of paho's, subscribed as a device of ours would be."""

    def __init__(self, url: str, identity: Identity, version: str, qos: int) -> None:
        target = parse_target(url)
        self.user, self.qos = identity.user, qos
        self.came: Queue[paho.MQTTMessage] = Queue()
        subscribed: Queue[Any] = Queue()
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, f"paho-{identity.user}", protocol=PROTOCOLS[version]
        )
        self._client.username_pw_set(identity.user, identity.secret)
        self._client.on_message = lambda client, data, message: self.came.put(message)
        self._client.on_subscribe = lambda *_: subscribed.put(None)
        self._client.connect(target.host, target.port)
        self._client.loop_start()
        for name in topics.subscriptions(identity.user, identity.rooms):
            self._client.subscribe(name, qos)
            subscribed.get(timeout=60)

    def send(self, outgoing: Outgoing) -> None:
        payload = topics.payload_of(outgoing, "paho")
        told = self._client.publish(topics.topic_of(self.user, outgoing.to), payload, self.qos)
        told.wait_for_publish(60)
        assert told.is_published()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.mark.parametrize(("version", "qos"), EACH_WAY)
def test_messages_pass_both_ways(broker, version: str, qos: int) -> None:
    url = broker.target(query=f"version={version}&qos={qos}")
    ours, theirs = broker.identity(rooms=("g:club",)), broker.identity(rooms=("g:club",))
    other = Paho(url, theirs, version, qos)
    try:
        with Device([parse_target(url)], ours) as device:
            device.start()
            device.await_event(events.LoggedIn, timeout_s=60)
            for to in (theirs.user, "g:club"):
                device.send_and_await(to, bytes(300))
                message = other.came.get(timeout=60)
                envelope = topics.envelope_in(message.payload)
                assert envelope is not None
                assert (message.qos, envelope.body, envelope.device) == (qos, bytes(300), ours.device)
            for to in (ours.user, "g:club"):
                other.send(Outgoing(f"p.{to}", to, "text", b"from paho", 9))
                shown = device.await_event(events.Delivered, timeout_s=60)
                assert (shown.entry.sender, shown.entry.body) == (theirs.user, b"from paho")
    finally:
        other.close()
