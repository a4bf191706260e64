"""The session by hand: the test is the broker."""

from zlib import crc32

import pytest

from drivers import events
from drivers.contract import AskUnread, Ended, Identity, Outgoing, OutgoingPackage, Ponged, Received
from drivers.dialects.mqtt import fields, topics
from drivers.dialects.mqtt.packets import (
    Answer,
    ConnAck,
    Connect,
    Disconnect,
    Kind,
    Packet,
    PingReq,
    PingResp,
    Publish,
    SubAck,
    Subscribe,
    decode,
    encode,
    split,
)
from drivers.dialects.mqtt.session import MqttSession, Wishes
from drivers.events import CloseReason, Event
from protocol.errors import LocalProtocolError

PLAIN = Wishes()
WELCOME = ConnAck(False, 0)
ANN = Identity("ann", "phone", "secret", ("g:club",))
TO_BOB = Outgoing("r.1", "bob", "text", b"hello", 7)
BOTH = pytest.mark.parametrize("level", [4, 5])


class Broker:
    """The other side of one session."""

    def __init__(self, wishes: Wishes = PLAIN) -> None:
        self.level = wishes.level
        self.session = MqttSession(wishes)

    def says(self, *packets: Packet) -> list[Event]:
        return self.session.receive(b"".join(encode(packet, self.level) for packet in packets))

    def hears(self) -> list[Packet]:
        data, at, heard = self.session.take(), 0, []
        while (place := split(data, at)) is not None:
            heard.append(decode(data[at], data[place[0] : place[1]], self.level))
            at = place[1]
        assert at == len(data)
        return heard

    def hears_publish(self) -> Publish:
        (packet,) = self.hears()
        assert isinstance(packet, Publish)
        return packet

    def entered(self, ack: ConnAck = WELCOME) -> "Broker":
        self.session.login(ANN, 0, 60)
        self.says(ack)
        subscribe = self.hears()[-1]
        assert isinstance(subscribe, Subscribe)
        self.says(SubAck(subscribe.packet, (2, 2, 2)))
        return self


@BOTH
def test_a_login_is_a_connect_and_its_subscriptions(level: int) -> None:
    broker = Broker(Wishes(level=level, expiry_s=60))
    broker.session.login(ANN, 0, 30)
    extra = {fields.EXPIRY: 60} if level == 5 else {}
    assert broker.hears() == [Connect("ann/phone", "ann", b"secret", 30, False, extra)]
    assert broker.says(ConnAck(False, 0)) == []
    subscribe = broker.hears()[0]
    assert isinstance(subscribe, Subscribe)
    wanted = ["chatproof/pair/+/ann", "chatproof/pair/ann/+", "chatproof/group/club/+"]
    assert [name for name, _ in subscribe.filters] == wanted
    happened = broker.says(SubAck(subscribe.packet, (1, 1, 1)))
    assert happened == [events.LoggedIn("ann", 0, 0, 30.0, (), "")]


def test_the_keep_alive_of_the_server_is_the_heartbeat() -> None:
    broker = Broker(Wishes(level=5))
    broker.session.login(ANN, 0, 30)
    broker.says(ConnAck(True, 0, {fields.SERVER_KEEP_ALIVE: 17}))
    subscribe = broker.hears()[-1]
    assert isinstance(subscribe, Subscribe)
    login = broker.says(SubAck(subscribe.packet, (1, 1, 1)))[0]
    assert isinstance(login, events.LoggedIn)
    assert login.heartbeat_s == 17.0


@BOTH
def test_heartbeats(level: int) -> None:
    broker = Broker(Wishes(level=level)).entered()
    broker.session.ping()
    assert broker.hears() == [PingReq()]
    assert broker.says(PingResp()) == [Ponged(None, None)]
    assert broker.says(PingResp(), PingResp()) == [Ponged(None, None)] * 2


@BOTH
def test_qos_1_is_acknowledged_by_puback(level: int) -> None:
    broker = Broker(Wishes(level=level)).entered()
    broker.session.submit(TO_BOB, 1)
    publish = broker.hears_publish()
    number = publish.packet or 0
    payload = topics.payload_of(TO_BOB, "phone")
    assert publish == Publish("chatproof/pair/ann/bob", payload, 1, number)
    happened = broker.says(Answer(Kind.PUBACK, number))
    assert happened == [events.Acked("r.1", None, "ann:bob", None, None, None, 0)]
    assert broker.says(Answer(Kind.PUBACK, number)) == []
    assert broker.session.remains() is None


def test_a_second_answer_is_none_to_the_next_message() -> None:
    broker = Broker().entered()
    broker.session.submit(TO_BOB, 1)
    number = broker.hears_publish().packet or 0
    broker.says(Answer(Kind.PUBACK, number))
    broker.session.submit(Outgoing("r.2", "bob", "text", b"hello", 7), 1)
    assert broker.says(Answer(Kind.PUBACK, number)) == []


@BOTH
def test_qos_2_takes_four_packets(level: int) -> None:
    broker = Broker(Wishes(level=level, qos=2)).entered()
    broker.session.submit(TO_BOB, 1)
    publish = broker.hears_publish()
    number = publish.packet or 0
    assert publish.qos == 2
    assert broker.says(Answer(Kind.PUBREC, number)) == []
    assert broker.hears() == [Answer(Kind.PUBREL, number)]
    assert [type(event) for event in broker.says(Answer(Kind.PUBCOMP, number))] == [events.Acked]


@BOTH
def test_what_comes_is_acknowledged_and_reported_once_a_packet(level: int) -> None:
    broker = Broker(Wishes(level=level)).entered()
    payload = topics.payload_of(Outgoing("r.9", "ann", "text", b"hi", 7), "laptop")
    one = Publish("chatproof/pair/bob/ann", payload, 1, 40)
    again = Publish("chatproof/pair/bob/ann", payload, 2, 41, dup=True)
    first, second = broker.says(one, again)
    assert isinstance(first, Received)
    assert isinstance(second, Received)
    assert (first.entry.sender, first.entry.conversation, first.entry.body) == ("bob", "ann:bob", b"hi")
    assert first.key == second.key
    assert (first.attempt, second.attempt) == (1, 2)
    assert broker.hears() == [Answer(Kind.PUBACK, 40), Answer(Kind.PUBREC, 41)]
    assert broker.says(Answer(Kind.PUBREL, 41)) == []
    assert broker.hears() == [Answer(Kind.PUBCOMP, 41)]


def test_its_own_message_is_dropped_and_that_of_another_device_is_not() -> None:
    broker = Broker().entered()
    own = topics.payload_of(TO_BOB, "phone")
    others = topics.payload_of(TO_BOB, "laptop")
    happened = broker.says(
        Publish("chatproof/pair/ann/bob", own, 1, 1), Publish("chatproof/pair/ann/bob", others, 1, 2)
    )
    assert len(happened) == 1
    assert broker.hears() == [Answer(Kind.PUBACK, 1), Answer(Kind.PUBACK, 2)]


def test_a_payload_of_somebody_else_is_reported_as_it_is() -> None:
    broker = Broker().entered()
    (event,) = broker.says(Publish("chatproof/pair/bob/ann", b"\xff?", 1, 1))
    assert isinstance(event, Received)
    assert event.entry.body == b"\xff?"
    assert broker.says(Publish("weather/berlin", b"rain", 0, None)) == []


@pytest.mark.parametrize("qos", [1, 2])
def test_a_repeat_in_the_same_session_keeps_its_identifier_and_says_so(qos: int) -> None:
    before = Broker(Wishes(qos=qos)).entered()
    before.session.submit(TO_BOB, 1)
    first = before.hears()[0]
    assert isinstance(first, Publish)
    after = Broker(Wishes(qos=qos))
    remains = before.session.remains()
    assert remains is not None
    after.session.resume(remains)
    after.entered(ConnAck(True, 0))
    other = Outgoing("r.2", "eve", "text", b"", 7)
    after.session.submit(other, 1)
    after.session.submit(TO_BOB, 2)
    new, again = after.hears()
    assert isinstance(again, Publish)
    assert isinstance(new, Publish)
    assert (again.packet, again.dup) == (first.packet, True)
    assert (new.packet != first.packet, new.dup) == (True, False)


def test_after_pubrec_only_pubrel_is_repeated() -> None:
    before = Broker(Wishes(qos=2)).entered()
    before.session.submit(TO_BOB, 1)
    number = before.hears_publish().packet or 0
    before.says(Answer(Kind.PUBREC, number))
    after = Broker(Wishes(qos=2))
    after.session.resume(before.session.remains())
    after.entered(ConnAck(True, 0)).session.submit(TO_BOB, 2)
    assert after.hears() == [Answer(Kind.PUBREL, number)]
    assert [type(event) for event in after.says(Answer(Kind.PUBCOMP, number))] == [events.Acked]


def test_a_broker_that_has_lost_the_session_gets_a_new_message() -> None:
    before = Broker().entered()
    before.session.submit(TO_BOB, 1)
    after = Broker()
    after.session.resume(before.session.remains())
    after.entered(ConnAck(False, 0)).session.submit(TO_BOB, 2)
    assert [packet.dup for packet in after.hears() if isinstance(packet, Publish)] == [False]


def test_what_was_not_repeated_yet_is_left_to_the_session_after() -> None:
    before = Broker().entered()
    before.session.submit(TO_BOB, 1)
    between = Broker()
    between.session.resume(before.session.remains())
    between.entered(ConnAck(True, 0)).session.submit(Outgoing("r.2", "eve", "text", b"", 7), 1)
    remains = between.session.remains()
    assert isinstance(remains, dict)
    assert set(remains) == {"r.1", "r.2"}


def test_an_identifier_that_is_carried_over_is_given_to_nobody_else() -> None:
    broker = Broker()
    taken = crc32(b"r.2") % 65_534 + 1
    broker.session.resume({"r.1": (taken, False)})
    broker.entered(ConnAck(True, 0)).session.submit(Outgoing("r.2", "eve", "text", b"", 7), 1)
    assert broker.hears_publish().packet != taken


def test_no_more_are_under_way_than_the_broker_takes() -> None:
    broker = Broker(Wishes(level=5)).entered(ConnAck(False, 0, {fields.RECEIVE_MAXIMUM: 2}))
    for number in range(4):
        broker.session.submit(Outgoing(f"r.{number}", f"u{number}", "text", b"", 0), 1)
    first, second = (packet.packet for packet in broker.hears() if isinstance(packet, Publish))
    broker.says(Answer(Kind.PUBACK, first or 0))
    third = broker.hears_publish().packet or 0
    broker.says(Answer(Kind.PUBACK, second or 0), Answer(Kind.PUBACK, third))
    assert broker.hears_publish().packet not in (first, second, third)


def test_what_the_broker_turns_down_is_rejected() -> None:
    broker = Broker(Wishes(level=5)).entered()
    broker.session.submit(TO_BOB, 1)
    number = broker.hears_publish().packet or 0
    (event,) = broker.says(Answer(Kind.PUBACK, number, 0x97, {fields.REASON: "enough"}))
    assert event == events.Rejected("r.1", 0x97, "quota exceeded (enough)")
    broker.session.submit(TO_BOB, 1)
    number = broker.hears_publish().packet or 0
    assert isinstance(broker.says(Answer(Kind.PUBACK, number, 0x10))[0], events.Acked)


def test_what_is_too_large_for_the_broker_is_not_sent() -> None:
    broker = Broker(Wishes(level=5)).entered(ConnAck(False, 0, {fields.MAXIMUM_PACKET: 100}))
    broker.hears()
    with pytest.raises(LocalProtocolError):
        broker.session.submit(Outgoing("r.1", "bob", "text", bytes(200), 0), 1)
    assert broker.hears() == []
    assert broker.session.remains() is None


@pytest.mark.parametrize(
    ("level", "code", "kind"),
    [
        (4, 4, events.Refused),
        (4, 3, Ended),
        (5, 0x86, events.Refused),
        (5, 0x89, Ended),
        (5, 1, events.Refused),
    ],
)
def test_a_refused_login(level: int, code: int, kind: type[Event]) -> None:
    broker = Broker(Wishes(level=level))
    broker.session.login(ANN, 0, 60)
    assert [type(event) for event in broker.says(ConnAck(False, code))] == [kind]
    assert broker.hears() == []


@pytest.mark.parametrize("code", [0, 0x80])
def test_a_refused_subscription_is_a_refused_login(code: int) -> None:
    broker = Broker()
    broker.session.login(ANN, 0, 60)
    broker.says(ConnAck(False, 0))
    (event,) = broker.says(SubAck(65_535, (1, code, 1)))
    assert isinstance(event, events.Refused)
    assert "chatproof/pair/ann/+" in event.text


def test_who_is_granted_less_than_was_asked_for_does_not_go_on() -> None:
    broker = Broker(Wishes(qos=2))
    broker.session.login(ANN, 0, 60)
    broker.says(ConnAck(False, 0))
    (event,) = broker.says(SubAck(65_535, (2, 1, 2)))
    assert isinstance(event, events.Refused)
    assert "granted with 1" in event.text
    other = Broker(Wishes(level=5, qos=2))
    other.session.login(ANN, 0, 60)
    (event,) = other.says(ConnAck(False, 0, {fields.MAXIMUM_QOS: 1}))
    assert isinstance(event, events.Refused)
    assert other.hears() == []


@pytest.mark.parametrize(
    ("code", "reason"),
    [(0x8E, CloseReason.REPLACED), (0x9C, CloseReason.DRAINING), (0x98, CloseReason.ERROR)],
)
def test_a_disconnect_of_the_broker(code: int, reason: CloseReason) -> None:
    broker = Broker(Wishes(level=5)).entered()
    ended = broker.says(Disconnect(code))[-1]
    assert isinstance(ended, Ended)
    assert ended.reason is reason
    assert broker.says(PingResp()) == []


def test_bytes_may_be_cut_anywhere() -> None:
    broker = Broker().entered()
    payload = topics.payload_of(Outgoing("r.9", "ann", "text", bytes(200), 7), "laptop")
    data = encode(Publish("chatproof/pair/bob/ann", payload, 1, 40), 4) + encode(PingResp(), 4)
    happened = [event for byte in data for event in broker.session.receive(bytes((byte,)))]
    assert [type(event) for event in happened] == [Received, Ponged]


@BOTH
def test_what_comes_in_the_wrong_place_ends_the_session(level: int) -> None:
    broker = Broker(Wishes(level=level))
    broker.session.login(ANN, 0, 60)
    (ended,) = broker.says(PingResp())
    assert isinstance(ended, Ended)
    assert ended.reason is CloseReason.PROTOCOL_ERROR
    broker.session.bye()
    assert broker.hears() == []


def test_what_it_has_no_words_for_is_refused_here() -> None:
    broker = Broker().entered()
    package = OutgoingPackage("r.1", "bob", ())
    for call in (
        lambda: broker.session.pull(0, 1),
        lambda: broker.session.acknowledge(1),
        lambda: broker.session.ask(AskUnread()),
        lambda: broker.session.submit(package, 1),
    ):
        with pytest.raises(LocalProtocolError):
            call()
