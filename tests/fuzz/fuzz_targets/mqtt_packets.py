"""MQTT packets of a broker: whatever comes, however it is cut, a session says the same and raises nothing."""

from copy import copy
from random import Random

from fuzzing import damaged, pieces, target

from drivers.contract import Identity, Outgoing
from drivers.dialects.mqtt import packets, topics
from drivers.dialects.mqtt.packets import Answer, ConnAck, Disconnect, Kind, PingResp, Publish, SubAck
from drivers.dialects.mqtt.session import MqttSession, Wishes

_PAYLOAD = topics.payload_of(Outgoing("r.1", "bob", "text", b"x" * 60, 7), "laptop")
_SAID = (
    Publish("chatproof/pair/bob/ann", _PAYLOAD, 1, 9),
    Publish("chatproof/group/club/bob", b"\xff", 2, 10, dup=True),
    Publish("else", b"", 0, None),
    Answer(Kind.PUBREL, 10),
    Answer(Kind.PUBACK, 3),
    Answer(Kind.PUBREC, 3, 0x10),
    PingResp(),
    Disconnect(0),
)


@target("mqtt")
class Mqtt:
    def __init__(self, chance: Random) -> None:
        self._another = b""
        self._level = 4
        self._sessions = {
            (level, is_in): _session(level, is_in) for level in (4, 5) for is_in in (False, True)
        }

    def next_input(self, chance: Random) -> bytes:
        self._level = chance.choice((4, 5))
        said = [chance.choice(_SAID) for _ in range(chance.choice((1, 2, 4)))]
        if chance.random() < 0.3:
            said = [ConnAck(False, 0), SubAck(65_535, (1, 1)), *said]
        data = b"".join(packets.encode(packet, self._level) for packet in said)
        self._another, other = data, self._another
        return damaged(data, chance, other) if chance.random() < 0.8 else data

    def feed(self, data: bytes, chance: Random) -> None:
        before = self._sessions[self._level, chance.random() < 0.7]
        whole = copy(before)
        happened = whole.receive(data)
        if chance.random() < 0.3:
            cut = copy(before)
            assert happened == [event for piece in pieces(data, chance) for event in cut.receive(piece)]
            assert whole.take() == cut.take()

    def close(self) -> None:
        """Nothing is open."""


def _session(level: int, is_in: bool) -> MqttSession:
    session = MqttSession(Wishes(level=level))
    session.login(Identity("ann", "phone", "secret"), 0, 60)
    if is_in:
        for packet in (ConnAck(False, 0), SubAck(65_535, (1, 1))):
            session.receive(packets.encode(packet, level))
        session.take()
    return session
