"""An MQTT connection of one device, from the client's side: sans-I/O, without a clock.

The broker keeps the session (clean start 0), so that whoever was away is sent what came meanwhile. Every
message goes out with the QoS of the target, and each that comes is acknowledged as soon as the client has it.
What has been received of QoS 2 is not remembered here: the client knows repeats by their key.
"""

from collections.abc import Callable
from enum import IntEnum
from functools import cache
from typing import Any, NamedTuple

from drivers import events
from drivers.contract import Ended, Identity, Outgoing, OutgoingPackage, Ponged, Question, Received
from drivers.dialects.mqtt import fields, packets, reasons, topics
from drivers.dialects.mqtt.flights import Carried, Flight, Flights, Limits
from drivers.dialects.mqtt.packets import (
    V5,
    Answer,
    ConnAck,
    Connect,
    Disconnect,
    Kind,
    Packet,
    PingResp,
    Publish,
    SubAck,
    Subscribe,
)
from drivers.events import CloseReason, Event
from protocol.errors import ErrorCode, LocalProtocolError, RemoteProtocolError
from protocol.messages import Entry

_NO_SUCH_QOS = 0x9B
_SUBSCRIBING = 65_535
_NO_LOCAL_NO_RETAINED = 0x24


class Wishes(NamedTuple):
    """Of a target. `level`: of the protocol, 4 is 3.1.1. `expiry_s`: for how long the broker is to keep the
    session of a device that is away (version 5). `receive_maximum`: how many messages of QoS 1 and 2 it may
    send before they are answered for (version 5)."""

    level: int = 4
    qos: int = 1
    expiry_s: int = 3600
    receive_maximum: int = 65_535


class Phase(IntEnum):
    """What may come next: nothing before `login`, CONNACK, SUBACK, everything, nothing any more."""

    OPENING = 0
    CONNECTING = 1
    SUBSCRIBING = 2
    ENTERED = 3
    OVER = 4


class Opening(NamedTuple):
    """What a login has to know until it is answered."""

    identity: Identity
    heartbeat_s: int
    limits: Limits


class MqttSession:
    """| phase       | may send            | may receive                                              |
    |-------------|---------------------|----------------------------------------------------------|
    | opening     | CONNECT, once       | –                                                        |
    | connecting  | –                   | CONNACK                                                  |
    | subscribing | SUBSCRIBE, once     | SUBACK, PUBLISH, PUBREL, DISCONNECT                      |
    | entered     | all but these       | what `_READERS` lists                                    |
    | over        | – (ignored)         | – (ignored)                                              |
    """

    __slots__ = ("_at", "_buffer", "_flights", "_out", "_phase", "_wishes")

    def __init__(self, wishes: Wishes) -> None:
        self._wishes = wishes
        self._phase = Phase.OPENING
        self._out = b""
        self._buffer = b""
        # Until the login is answered what it needs, then the client identifier alone.
        self._at: Opening | str = ""
        # What the session before left, then what is under way, then how much may be.
        self._flights: Flights | Carried | Limits | None = None

    # -- commands --

    def resume(self, remains: object) -> None:
        assert isinstance(remains, dict)
        self._flights = remains

    def login(self, identity: Identity, version: int, heartbeat_s: int) -> None:
        if self._phase is not Phase.OPENING:
            raise LocalProtocolError("this session has had its login")
        wishes = self._wishes
        values = {}
        if wishes.level == V5:
            values[fields.EXPIRY] = wishes.expiry_s
            if wishes.receive_maximum != Limits().receive_maximum:
                values[fields.RECEIVE_MAXIMUM] = wishes.receive_maximum
        connect = Connect(
            client=topics.client_id(identity.user, identity.device),
            user=identity.user,
            password=identity.secret.encode(),
            keep_alive_s=min(heartbeat_s, 65_535),
            properties=values,
        )
        self._at = Opening(identity, heartbeat_s, Limits())
        self._phase = Phase.CONNECTING
        self._send(connect)

    def ping(self, heartbeat_s: int | None = None) -> None:
        self._must_be_entered("a PINGREQ")
        self._out += packets.PINGREQ

    def submit(self, outgoing: Outgoing | OutgoingPackage, attempt: int) -> None:
        if isinstance(outgoing, OutgoingPackage):
            raise LocalProtocolError("MQTT has no packages")
        self._must_be_entered("a PUBLISH")
        flights = self._flights
        if not isinstance(flights, Flights):
            limits = flights if isinstance(flights, Limits) else Limits()
            carried = flights if isinstance(flights, dict) else {}
            flights = self._flights = Flights(limits, carried)
        self._launch(flights, outgoing)

    def _launch(self, flights: Flights, outgoing: Outgoing) -> None:
        begun = flights.begin(outgoing)
        if begun is None:
            return
        number, flight, is_known = begun
        if flight.is_released:
            self._send(Answer(Kind.PUBREL, number))
            return
        user, device = topics.party(self._client())
        topic = topics.topic_of(user, outgoing.to)
        try:
            payload = topics.payload_of(outgoing, device)
            packet = Publish(topic, payload, self._wishes.qos, number, is_known)
            data = packets.encode(packet, self._wishes.level)
            if len(data) > flights.limits.packet_bytes:
                raise LocalProtocolError(f"the broker takes packets of {flights.limits.packet_bytes:,} bytes")
        except LocalProtocolError:
            flights.end(number)
            raise
        self._out += data

    def acknowledge(self, version: int) -> None:
        raise LocalProtocolError("MQTT has no inbox versions")

    def pull(self, after: int, limit: int) -> None:
        raise LocalProtocolError("MQTT has no inbox to be pulled")

    def ask(self, question: Question) -> None:
        raise LocalProtocolError(f"MQTT has no words for {type(question).__name__}")

    def bye(self) -> None:
        if self._phase is Phase.ENTERED:
            self._send(Disconnect())

    def take(self) -> bytes:
        out, self._out = self._out, b""
        return b"" if self._is_over else out

    def remains(self) -> object | None:
        flights = self._flights
        if isinstance(flights, Flights):
            return flights.remains() or None
        return flights if isinstance(flights, dict) else None

    # -- what comes --

    def receive(self, data: bytes) -> list[Event]:
        if data == packets.PINGRESP and self._phase is Phase.ENTERED and not self._buffer:
            return [_PONGED]  # all that an idle client ever hears
        if self._is_over:
            return []
        if self._buffer:
            data = self._buffer + data
        happened: list[Event] = []
        at = 0
        try:
            while (place := packets.split(data, at)) is not None and place[1] <= len(data):
                packet = packets.decode(data[at], data[place[0] : place[1]], self._wishes.level)
                at = place[1]
                self._read(packet, happened)
                if self._is_over:
                    break
        except RemoteProtocolError as error:
            happened.append(Ended(CloseReason.PROTOCOL_ERROR, str(error)))
            self._phase = Phase.OVER
        self._buffer = b"" if self._is_over else data[at:]
        return happened

    def _read(self, packet: Packet, happened: list[Event]) -> None:
        read = _READERS[self._phase].get(type(packet))
        if read is None:
            raise RemoteProtocolError(f"the broker sent a {type(packet).__name__} in the wrong place")
        read(self, packet, happened)

    def _connected(self, packet: ConnAck, happened: list[Event]) -> None:
        if packet.code:
            self._phase = Phase.OVER
            happened += reasons.refused(packet.code, packet.properties)
            return
        if not packet.session_present:
            self._flights = None  # the broker knows nothing of what was under way
        assert isinstance(self._at, Opening)
        values = packet.properties
        limits = _limits(
            values.get(fields.RECEIVE_MAXIMUM, Limits().receive_maximum),
            values.get(fields.MAXIMUM_QOS, Limits().qos),
            values.get(fields.MAXIMUM_PACKET, Limits().packet_bytes),
        )
        heartbeat_s = values.get(fields.SERVER_KEEP_ALIVE, self._at.heartbeat_s)
        if self._wishes.qos > limits.qos:
            self._refuse(f"the broker has no QoS {self._wishes.qos}, only {limits.qos} (?qos=)", happened)
            return
        identity = self._at.identity
        self._at = Opening(identity, heartbeat_s, limits)
        # Also where the broker has the session: it may have been lost before its first SUBSCRIBE.
        options = self._wishes.qos | (_NO_LOCAL_NO_RETAINED if self._wishes.level == V5 else 0)
        wanted = topics.subscriptions(identity.user, identity.rooms)
        # An identifier that cannot meet one that is carried over: those count up from 1.
        self._send(Subscribe(_SUBSCRIBING, tuple((each, options) for each in wanted)))
        self._phase = Phase.SUBSCRIBING

    def _subscribed(self, packet: SubAck, happened: list[Event]) -> None:
        assert isinstance(self._at, Opening)
        identity, heartbeat_s, limits = self._at
        wanted = topics.subscriptions(identity.user, identity.rooms)
        if len(packet.codes) != len(wanted):
            raise RemoteProtocolError(f"a SUBACK of {len(packet.codes)} for {len(wanted)} subscriptions")
        for each, code in zip(wanted, packet.codes, strict=True):
            if code >= reasons.FAILURE:
                why = reasons.in_words(code, packet.properties)
            elif code < self._wishes.qos:
                why = f"asked for with QoS {self._wishes.qos}, granted with {code}"
            else:
                continue
            self._refuse(f"subscription {each}: {why}", happened, code)
            return
        self._at = topics.client_id(identity.user, identity.device)
        if isinstance(self._flights, dict):
            self._flights = Flights(limits, self._flights)
        elif limits != Limits():
            self._flights = limits
        self._phase = Phase.ENTERED
        happened.append(events.LoggedIn(identity.user, 0, 0, float(heartbeat_s), (), ""))

    def _refuse(self, why: str, happened: list[Event], code: int = _NO_SUCH_QOS) -> None:
        """Whoever goes on would measure something else than was asked for."""
        self._phase = Phase.OVER
        happened.append(events.Refused(code, why))

    def _ponged(self, packet: PingResp, happened: list[Event]) -> None:
        happened.append(_PONGED)

    def _published(self, packet: Publish, happened: list[Event]) -> None:
        if packet.packet is not None:
            self._send(Answer(Kind.PUBACK if packet.qos == 1 else Kind.PUBREC, packet.packet))
        named = topics.parties(packet.topic)
        if named is None:
            return
        sender, conversation = named
        envelope = topics.envelope_in(packet.payload)
        if envelope is None:
            entry = Entry(0, 0, conversation, 0, sender, "", packet.payload, 0)
            key = f"{packet.topic}?{hash(packet.payload)}"
        else:
            if topics.client_id(sender, envelope.device) == self._client():
                return  # its own, which 3.1.1 cannot keep the broker from sending
            entry = Entry(0, 0, conversation, 0, sender, envelope.kind, envelope.body, envelope.sent_at_ms)
            key = f"{sender}/{envelope.device}/{envelope.cid}"
        happened.append(Received(entry, key, 2 if packet.dup else 1))

    def _answered(self, packet: Answer, happened: list[Event]) -> None:
        if packet.kind is Kind.PUBREL:
            self._send(Answer(Kind.PUBCOMP, packet.packet))
            return
        flights = self._flights
        flight = flights.get(packet.packet) if isinstance(flights, Flights) else None
        if flight is None or not isinstance(flights, Flights):
            return  # of a message that another session of this device has sent, or a repeat
        if packet.kind is Kind.PUBREC and packet.code < reasons.FAILURE:
            flight.is_released = True
            self._send(Answer(Kind.PUBREL, packet.packet))
            return
        happened.append(self._outcome(flight, packet))
        self._go_on(flights, packet.packet, happened)

    def _outcome(self, flight: Flight, packet: Answer) -> Event:
        outgoing = flight.outgoing
        # A PUBCOMP that does not know the identifier: the broker has had the PUBREL before.
        if packet.code >= reasons.FAILURE and packet.kind is not Kind.PUBCOMP:
            return events.Rejected(
                outgoing.cid, packet.code, reasons.in_words(packet.code, packet.properties)
            )
        conversation = topics.conversation_of(topics.party(self._client())[0], outgoing.to)
        return events.Acked(outgoing.cid, None, conversation, None, None, None, 0)

    def _go_on(self, flights: Flights, number: int, happened: list[Event]) -> None:
        flights.end(number)
        while (following := flights.next()) is not None:
            try:
                self._launch(flights, following)
            except LocalProtocolError as error:
                happened.append(events.Rejected(following.cid, ErrorCode.TOO_LARGE, str(error)))
        if flights.is_over:
            self._flights = flights.limits if flights.limits != Limits() else None

    def _disconnected(self, packet: Disconnect, happened: list[Event]) -> None:
        if self._wishes.level != V5:
            raise RemoteProtocolError("a broker of 3.1.1 sends no DISCONNECT")
        self._phase = Phase.OVER
        happened += reasons.closed(packet.code, packet.properties)

    # -- the rest --

    @property
    def _is_over(self) -> bool:
        return self._phase is Phase.OVER

    def _client(self) -> str:
        at = self._at
        return topics.client_id(at.identity.user, at.identity.device) if isinstance(at, Opening) else at

    def _must_be_entered(self, what: str) -> None:
        if self._phase < Phase.ENTERED:
            raise LocalProtocolError(f"{what} before the login was answered")

    def _send(self, packet: Packet) -> None:
        self._out += packets.encode(packet, self._wishes.level)


@cache
def _limits(receive_maximum: int, qos: int, packet_bytes: int) -> Limits:
    """One for all sessions of a broker."""
    return Limits(receive_maximum, qos, packet_bytes)


_PONGED = Ponged(None, None)

# Each reader takes just the packet it is listed for, hence Any.
_Readers = dict[type[Packet], Callable[[MqttSession, Any, list[Event]], None]]
_COMING: _Readers = {
    Publish: MqttSession._published,
    Answer: MqttSession._answered,
    Disconnect: MqttSession._disconnected,
}
_READERS: dict[Phase, _Readers] = {
    Phase.OPENING: {},
    Phase.CONNECTING: {ConnAck: MqttSession._connected},
    Phase.SUBSCRIBING: {SubAck: MqttSession._subscribed, **_COMING},
    Phase.ENTERED: {PingResp: MqttSession._ponged, **_COMING},
}
