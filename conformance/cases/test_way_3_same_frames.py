"""WAY.3: the carriers carry the same frames, however those are cut, and lead to the same conversation."""

import gevent
import pytest

from conformance import carriers
from conformance.accounts import Block, User
from conformance.bare_websocket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, BareWebSocket
from conformance.clients import Clients, MakePhone, MakeWire
from conformance.phone import Phone, fresh_cid, log_in
from conformance.target import Target
from conformance.verdicts import not_offered
from protocol import frames
from protocol.messages import Entry, LoggedIn, Login, Message, Ping, Pong, Send, Sent

pytestmark = pytest.mark.clause("WAY.3")

_ON_A_WEBSOCKET = pytest.mark.only_over("ws", "wss", why="only a WebSocket has messages of its own")
_STREAMS = pytest.mark.only_over(
    "tcp", "tls", why="a WebSocket message and a request keep a frame together, only streams cut it anywhere"
)
_PART_S = 0.05
"""Between two parts of a frame, so that they are read one by one."""


def facts(entry: Entry) -> tuple[object, ...]:
    """All that a message is, without how often it was pushed."""
    return tuple(getattr(entry, name) for name in Entry.__struct_fields__)


@pytest.mark.once("devices over every carrier that the target offers take part")
@pytest.mark.needs("history")
def test_every_carrier_shows_the_same_conversation(block: Block, target: Target, clients: Clients) -> None:
    """Long connection: private TCP protocol, TCP+TLS and WebSocket carry the same frames.

    Two friends have a device over each carrier that the target offers, and a tablet over the first. Every
    device writes to the friend, each with another kind of body; one sends again over another carrier what
    it has sent. Expected: over every carrier the inbox and the history are the same, in message id,
    sequence, version, sender, kind, body and time; what was pushed to a device equals it; the repeat is
    answered with the first answer.
    """
    offered = [name for name in carriers.known() if target.endpoints_of(name)]
    if len(offered) < 2:
        not_offered("the target offers one carrier only, the suite knows of no other URL")
    left, right = block.pick(2)

    def devices(user: User) -> list[Phone]:
        wires = [clients.wire_to(target.endpoints_of(name)[0]) for name in [*offered, offered[0]]]
        names = [*offered, "tablet"]
        return [Phone(wire, user, name) for wire, name in zip(wires, names, strict=True)]

    ours, theirs = devices(left), devices(right)
    bodies = [b"", b"\x00\xff\xc7 not text", "Grüße, 你好".encode(), b"x" * 60_000]
    for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        one.say(right.user, bodies[number % 4] + b"from the left %d" % number)
        other.say(left.user, bodies[(number + 1) % 4] + b"from the right %d" % number, kind="image")
    cid = fresh_cid()
    first = ours[0].say(right.user, b"once", cid=cid)
    ours[0].hang_up()
    for name in offered[1:]:
        again = Phone(clients.wire_to(target.endpoints_of(name)[0]), left, offered[0])
        sent = again.say(right.user, b"once", cid=cid)
        assert sent == first, f"{name}: expected the repeat to get {first}, got {sent}"
        again.hang_up()

    for user, phones in ((left, ours[1:]), (right, theirs)):
        inboxes = [[facts(entry) for entry in phone.inbox()] for phone in phones]
        histories = [
            [facts(entry) for entry in phone.history(first.conversation).entries] for phone in phones
        ]
        for phone, inbox, history in zip(phones, inboxes, histories, strict=True):
            wanted = len(ours) * 2 + 1
            assert len(inbox) == wanted, f"{phone.name}: expected {wanted} messages, got {len(inbox)}"
            assert inbox == inboxes[0], f"{phone.name}: expected the inbox that {phones[0].name} sees"
            assert history == histories[0], f"{phone.name}: expected the history of {phones[0].name}"
            for push in phone.pushes:
                got = facts(push)
                assert got in inbox, f"{phone.name}: expected the push as {user.user}'s inbox has it: {got}"


@_STREAMS
def test_a_frame_may_be_cut_at_any_byte(block: Block, wire: MakeWire) -> None:
    """... carry the same frames: a stream of bytes has no boundaries but those in the frames.

    LOGIN, and after it PING and SEND in one piece, are sent in two parts, over a connection for each place
    where they can be cut, the parts some time apart. Expected: every connection gets LOGGED_IN, PONG and
    SENT.
    """
    user, friend = block.pick(2)
    login = frames.encode(Login(user.token, "cut", "conformance"))

    def cut(number: int, places: int) -> None:
        name = f"cut-{number}"
        hello = frames.encode(Login(user.token, name, "conformance"))
        send = frames.encode(Ping()) + frames.encode(Send(fresh_cid(), friend.user, "text", name.encode()))
        connection = wire()
        for data in (hello, send):
            at = 1 + number * (len(data) - 2) // (places - 1)
            connection.send_bytes(data[:at])
            gevent.sleep(_PART_S)
            connection.send_bytes(data[at:])
            wanted: tuple[type[Message], ...] = (LoggedIn,) if data is hello else (Pong, Sent)
            for kind in wanted:
                connection.expect(kind)

    # About every second byte of the longer one, and every one of the shorter.
    places = max(len(login) // 2, 60)
    gevent.joinall([gevent.spawn(cut, number, places) for number in range(places)], raise_error=True)


@_STREAMS
def test_frames_may_come_byte_by_byte_or_all_at_once(block: Block, wire: MakeWire, phone: MakePhone) -> None:
    """... carry the same frames: none is lost or read twice where several come together.

    A connection writes its frames byte by byte; another writes two hundred sends, large and small, with
    PINGs among them, in one piece. Expected: each is answered once, in order; the friend gets all of them.
    """
    user, friend = block.pick(2)
    slow = wire()
    for byte in frames.encode(Login(user.token, "slow", "conformance")) + frames.encode(Ping()):
        slow.send_bytes(bytes([byte]))
    slow.expect(LoggedIn)
    slow.expect(Pong)
    fast = wire()
    log_in(fast, user, "fast")
    sends = [Send(fresh_cid(), friend.user, "text", b"x" * (number * 37 % 5000)) for number in range(200)]
    fast.send_bytes(b"".join(frames.encode(each) + frames.EMPTY_PING for each in sends))
    answers = [fast.expect(Sent).cid for _ in sends]
    assert answers == [each.cid for each in sends], "expected each send to be answered once, in order"
    inbox = [entry.body for entry in phone(friend).inbox()]
    assert inbox == [each.body for each in sends], f"expected 200 messages as sent, got {len(inbox)}"


@_ON_A_WEBSOCKET
def test_each_binary_message_holds_one_frame(block: Block, target: Target, phone: MakePhone) -> None:
    """... WebSocket carries the same frames: one in each binary message.

    A WebSocket logs in, beats and is pushed messages of 0 to 70,000 bytes, several at once. Expected: each
    message of the server is binary and exactly one frame, in however many pieces; together they are the
    answers and the pushes.
    """
    user, friend = block.pick(2)
    with BareWebSocket(target.endpoints[0], target.ca) as bare:
        bare.send(BINARY, frames.encode(Login(user.token, "bare", "conformance")))
        assert isinstance(message_in(bare), LoggedIn), "expected LOGGED_IN in the first message"
        bodies = [b"x" * size for size in (0, 1, 100, 120, 130, 60_000, 65_000)]
        phone(friend).say_all(user.user, bodies)
        got = [message_in(bare) for _ in bodies]
        found = [message.body if isinstance(message, Entry) else message for message in got]
        assert found == bodies, f"expected a push in each of {len(bodies)} messages, got {len(found)} others"
        for data in (frames.EMPTY_PING, frames.EMPTY_PING):
            bare.send(BINARY, data)
        for _ in range(2):
            assert isinstance(message_in(bare), Pong), "expected each PONG in a message of its own"


@_ON_A_WEBSOCKET
def test_fragments_and_control_frames_are_understood(block: Block, target: Target) -> None:
    """... WebSocket: what RFC 6455 lets a client do with a message.

    LOGIN comes in fragments of ten bytes, some empty, with a PING of the WebSocket between them. Expected:
    its PONG with the same payload, then LOGGED_IN; a CLOSE is answered with CLOSE.
    """
    data = frames.encode(Login(block.users[0].token, "fragments", "conformance"))
    with BareWebSocket(target.endpoints[0], target.ca) as bare:
        bare.send(BINARY, data[:10], is_whole=False)
        bare.send(CONTINUATION, b"", is_whole=False)
        bare.send(PING, b"still there?")
        for at in range(10, len(data), 10):
            bare.send(CONTINUATION, data[at : at + 10], is_whole=at + 10 >= len(data))
        answer = bare.next()
        assert answer is not None, "expected a PONG, the server closed"
        assert (answer.opcode, answer.payload) == (PONG, b"still there?"), f"expected PONG, got {answer}"
        assert isinstance(message_in(bare), LoggedIn), "expected LOGGED_IN for a LOGIN in fragments"
        bare.send(CLOSE, (1000).to_bytes(2, "big"))
        last = bare.next()
        assert last is not None, "expected CLOSE to be answered before the connection ends"
        assert last.opcode == CLOSE, f"expected CLOSE, got {last}"


@_ON_A_WEBSOCKET
@pytest.mark.parametrize("moment", ["before the login", "after the login"])
def test_a_text_message_is_refused(block: Block, target: Target, phone: MakePhone, moment: str) -> None:
    """... carries the same frames: in binary messages, so text is none.

    A WebSocket sends PING, or LOGIN as its first words, as a text message. Expected: no answer to it but
    CLOSE and the end of the connection; the user's other device goes on.
    """
    user = block.users[0]
    other = phone(user, "other")
    login = frames.encode(Login(user.token, "text", "conformance"))
    with BareWebSocket(target.endpoints[0], target.ca) as bare:
        if moment == "after the login":
            bare.send(BINARY, login)
            assert isinstance(message_in(bare), LoggedIn), "expected LOGGED_IN"
        bare.send(TEXT, frames.EMPTY_PING if moment == "after the login" else login)
        while (answer := bare.next()) is not None:
            said = answer.opcode == BINARY and frames.FrameBuffer(answer.payload).next_message()
            assert not isinstance(said, Pong | LoggedIn), f"expected text to be refused, got {said}"
    other.beat()


def message_in(bare: BareWebSocket) -> Message:
    """The message in the next binary message, which has to be one whole frame and nothing else."""
    framed = bare.next_message()
    assert framed is not None, "expected another message, the server closed"
    assert framed.opcode == BINARY, f"expected a binary message, got opcode {framed.opcode}"
    size = frames.whole_frame_bytes(framed.payload, 0)
    assert size == len(framed.payload), (
        f"expected exactly one frame, of {size} bytes, in a message of {len(framed.payload)}"
    )
    message = frames.FrameBuffer(framed.payload).next_message()
    assert message is not None, "expected a frame that is whole"
    return message
