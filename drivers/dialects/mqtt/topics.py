"""How conversations are topics, and messages payloads.

    chatproof/pair/SENDER/RECIPIENT     what one user writes to another
    chatproof/group/GROUP/SENDER        what one user writes to a group

Each device subscribes what is for its user, what its user writes (from whatever device), and its groups.
"""

import msgspec

from drivers.contract import Outgoing
from protocol.names import GROUP_PREFIX, conversation_between, is_group

_PAIR, _GROUP = "chatproof/pair", "chatproof/group"
# What means something in a topic; escaped as in a URL. A NUL is in no topic at all. Brokers that make routing
# keys of topics (RabbitMQ) give points and asterisks back as slashes and pluses.
_SIGNS = "/+#.*%"
_ESCAPES = str.maketrans({sign: f"%{ord(sign):02X}" for sign in _SIGNS})


class Envelope(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A payload, as msgpack: what a message needs that its topic does not say."""

    cid: str
    device: str
    kind: str
    sent_at_ms: int
    body: bytes


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Envelope)


def client_id(user: str, device: str) -> str:
    """Of a device; no two devices have the same."""
    return f"{_escaped(user)}/{_escaped(device)}"


def party(client: str) -> tuple[str, str]:
    """User and device of a client id."""
    user, _, device = client.partition("/")
    return _unescaped(user), _unescaped(device)


def subscriptions(user: str, rooms: tuple[str, ...]) -> list[str]:
    """What a device of a user who is in these groups subscribes."""
    name = _escaped(user)
    groups = [f"{_GROUP}/{_escaped(room.removeprefix(GROUP_PREFIX))}/+" for room in rooms]
    return [f"{_PAIR}/+/{name}", f"{_PAIR}/{name}/+", *groups]


def topic_of(sender: str, to: str) -> str:
    """Where a message of a user to another, or to a group, is published."""
    if is_group(to):
        return f"{_GROUP}/{_escaped(to.removeprefix(GROUP_PREFIX))}/{_escaped(sender)}"
    return f"{_PAIR}/{_escaped(sender)}/{_escaped(to)}"


def conversation_of(sender: str, to: str) -> str:
    """The conversation of such a message."""
    return to if is_group(to) else conversation_between(sender, to)


def parties(topic: str) -> tuple[str, str] | None:
    """Sender and conversation of a message published there; None for a topic that is none of ours."""
    prefix, _, rest = topic.removeprefix("chatproof/").partition("/")
    first, slash, second = rest.partition("/")
    if not topic.startswith("chatproof/") or not slash or "/" in second:
        return None
    one, other = _unescaped(first), _unescaped(second)
    if prefix == "pair":
        return one, conversation_between(one, other)
    return (other, GROUP_PREFIX + one) if prefix == "group" else None


def payload_of(outgoing: Outgoing, device: str) -> bytes:
    return _ENCODER.encode(Envelope(outgoing.cid, device, outgoing.kind, outgoing.sent_at_ms, outgoing.body))


def envelope_in(payload: bytes) -> Envelope | None:
    """None for a payload that is none of ours."""
    try:
        return _DECODER.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _escaped(name: str) -> str:
    return name.translate(_ESCAPES)


def _unescaped(name: str) -> str:
    if "%" in name:
        for sign in _SIGNS:
            name = name.replace(f"%{ord(sign):02X}", sign)
    return name
