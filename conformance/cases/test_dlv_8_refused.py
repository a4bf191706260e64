"""DLV.8: what cannot be accepted gets a definite error, leaves no trace, and is not tried again."""

from collections.abc import Callable
from dataclasses import dataclass

import gevent
import msgspec
import pytest

from conformance.accounts import Block, User
from conformance.carriers import on_a_connection
from conformance.clients import MakeDevice, MakePhone
from conformance.phone import Phone, fresh_cid, log_in
from drivers.events import Rejected
from drivers.pumps.wire import Wire
from protocol.limits import MAX_FRAME_BODY_BYTES, MAX_MESSAGE_BODY_BYTES
from protocol.messages import Error, Message, Send, Sent

pytestmark = pytest.mark.clause("DLV.8")


@dataclass(frozen=True, slots=True)
class Wrong:
    """A send that no server may accept. `to` picks the recipient, `code` is the error it has to get."""

    name: str
    code: int
    to: Callable[[Block], str]
    kind: str = "text"
    body: bytes = b"never"


WRONG = (
    Wrong("a user who does not exist", 404, lambda block: f"nobody-{fresh_cid()}"),
    Wrong("a group that does not exist", 404, lambda block: f"g:nothing-{fresh_cid()}"),
    Wrong("a user who is no friend", 403, lambda block: block.strangers[0]),
    Wrong("a kind that does not exist", 415, lambda block: block.friends[1], kind="telepathy"),
    Wrong(
        "a body one byte too large", 413, lambda block: block.friends[1],
        body=bytes(MAX_MESSAGE_BODY_BYTES + 1),
    ),
)  # fmt: skip


class Witnesses:
    """A sender and everybody who could notice a send of his: what they have must not change by a refusal."""

    def __init__(self, sender: User, block: Block, phone: MakePhone) -> None:
        self.source = phone(sender)
        self._others = [phone(user, "witness") for user in block.users]

    def state(self) -> list[object]:
        """Newest version, unread counts and contacts of everybody."""
        return [(each.pull(2**40, 1).newest, each.unread(), each.contacts()) for each in self._others]


def assert_refused(answer: Sent | Error, code: int, what: str) -> None:
    """A definite error with the code of the protocol, and the connection goes on."""
    assert isinstance(answer, Error), f"{what}: expected ERROR {code}, got {answer}"
    assert answer.code == code, f"{what}: expected ERROR {code}, got {answer.code} {answer.text}"
    assert not answer.fatal, f"{what}: expected the connection to go on, got a fatal error"


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name.replace(" ", "-"))
@pytest.mark.needs("unread", "contacts")
def test_a_refused_send_gets_its_code_and_is_not_stored(wrong: Wrong, block: Block, phone: MakePhone) -> None:
    """A send that cannot be accepted gets a definite error with a code, and is not stored.

    Something wrong is sent twice with one client message id. Expected: the protocol's error code both times,
    naming the send; no inbox, unread count or contact of anybody changes; the connection goes on, and the
    next send is accepted.
    """
    witnesses = Witnesses(block.users[0], block, phone)
    before = witnesses.state()
    cid, to = fresh_cid(), wrong.to(block)
    for _ in range(2):
        answer = witnesses.source.try_to_say(to, wrong.body, kind=wrong.kind, cid=cid)
        assert_refused(answer, wrong.code, f"a send to {wrong.name}")
    assert witnesses.state() == before, f"expected a send to {wrong.name} to leave no trace"
    witnesses.source.say(block.friends[1], b"accepted")


@pytest.mark.needs("unread", "contacts")
def test_a_group_takes_nothing_from_an_outsider(block: Block, phone: MakePhone) -> None:
    """... not permitted: who is not in a group does not write to it.

    A friend of the members, who is not one of them, sends to the group. Expected: 403; nobody's inbox, counts
    or contacts change; no member gets a push.
    """
    witnesses = Witnesses(block.account(block.outsiders[0]), block, phone)
    before = witnesses.state()
    assert_refused(witnesses.source.try_to_say(block.group, b"let me in"), 403, "a send of an outsider")
    assert witnesses.state() == before, "expected the send of an outsider to leave no trace"
    member = phone(block.members()[0])
    phone(block.members()[1]).say(block.group, b"among us")
    member.await_push(b"among us")
    came = [push.body for push in member.pushes]
    assert came == [b"among us"], f"expected no push but the member's, got {came}"


def test_a_refused_send_leaves_no_hole(block: Block, phone: MakePhone) -> None:
    """... is not stored: not even as a number that is missing afterwards.

    Good and bad sends alternate, written in one piece. Expected: each bad one gets its error, each good one
    is accepted; the recipient gets exactly the good ones.
    """
    sender, recipient = block.pick(2)
    source, target = phone(sender), phone(recipient)
    sends: list[Send] = []
    for number in range(5):
        sends.append(Send(fresh_cid(), recipient.user, "text", f"good {number}".encode()))
        wrong = WRONG[number]
        sends.append(Send(fresh_cid(), wrong.to(block), wrong.kind, wrong.body))
    source.wire.send(*sends)
    answers = source.answers_to([send.cid for send in sends])
    for wrong, answer in zip(WRONG, answers[1::2], strict=True):
        assert_refused(answer, wrong.code, f"a send to {wrong.name}")
    for answer in answers[::2]:
        assert isinstance(answer, Sent), f"expected the good sends to be accepted, got {answer}"
    for number in range(5):
        target.await_push(f"good {number}".encode())
    came = sorted(push.body for push in target.pushes)
    expected = [f"good {number}".encode() for number in range(5)]
    assert came == expected, f"expected {expected} to be pushed, got {came}"
    seen = sorted(push.sequence for push in target.pushes)
    given = sorted(answer.sequence for answer in answers[::2] if isinstance(answer, Sent))
    assert seen == given, f"expected the sequences of the SENTs, {given}, got {seen}"
    versions = sorted(push.version for push in target.pushes)
    wanted = list(range(target.logged_in.version + 1, target.logged_in.version + 6))
    assert versions == wanted, f"expected the refused sends to take no version: {wanted}, got {versions}"


def test_the_largest_body_is_accepted(block: Block, phone: MakePhone) -> None:
    """A send that *cannot* be accepted gets an error: one at the limit can be.

    A body of exactly 64 KiB is sent. Expected: SENT, and the recipient gets it whole.
    """
    sender, recipient = block.pick(2)
    target = phone(recipient)
    body = bytes(range(256)) * (MAX_MESSAGE_BODY_BYTES // 256)
    phone(sender).say(recipient.user, body)
    assert target.await_push(body).body == body, "expected the body as it was sent"


@pytest.mark.calm("a refusal that is late is met by repeats")
def test_a_client_does_not_retry_what_was_refused(block: Block, device: MakeDevice) -> None:
    """... is never retried by the client as if it were lost.

    A client that repeats quickly sends something too large and then something good to the same friend; the
    good one's first acknowledgement gets lost. Expected: one transmission of the first, at least two of the
    second, which is acknowledged.
    """
    sender, recipient = block.pick(2)
    transmissions: list[str] = []
    lost: set[str] = set()

    def lose(direction: str, message: Message) -> bool:
        if isinstance(message, Send):
            transmissions.append(message.cid)
        if isinstance(message, Sent) and message.cid not in lost:
            lost.add(message.cid)
            return True
        return False

    source = device(sender, retransmit_start_s=0.2)
    source.lose = lose
    source.log_in()
    refused = source.send(recipient.user, bytes(MAX_MESSAGE_BODY_BYTES + 1))
    answer = source.await_event(Rejected)
    assert (answer.cid, answer.code) == (refused, 413), f"expected 413 for the send, got {answer}"
    accepted = source.send_and_await(recipient.user, b"good")
    assert transmissions.count(refused) == 1, (
        f"expected a refused send to go out once, it went out {transmissions.count(refused)} times"
    )
    assert accepted.attempts >= 2, "the case expected the good send to be repeated"
    assert source.client.unfinished == 0, "expected nothing to be left to send"


def _frame(kind: int, body: bytes, *, magic: int = 0xC7, flags: int = 0, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return bytes((magic, kind, flags, 0)) + size.to_bytes(4, "big") + body


def _send_with(**changes: object) -> bytes:
    fields = {"cid": "c", "to": "x", "kind": "text", "body": b"never", "at": 0, **changes}
    return _frame(Send.TYPE, msgspec.msgpack.encode(list(fields.values())))


MALFORMED = {
    "a body that is text": (400, _send_with(body="never")),
    "no recipient": (400, _send_with(to="")),
    "no client message id": (400, _send_with(cid="")),
    "a client message id of 65 characters": (400, _send_with(cid="c" * 65)),
    "a negative time": (400, _send_with(at=-1)),
    "two fields only": (400, _frame(Send.TYPE, msgspec.msgpack.encode(["c", "x"]))),
    "no MessagePack": (400, _frame(Send.TYPE, b"\xc1\xc1\xc1")),
    "half a body": (400, _frame(Send.TYPE, msgspec.msgpack.encode(["c", "x", "text", b"never"])[:-3])),
    "a type that does not exist": (400, _frame(0x6E, b"\x90")),
    "a wrong magic": (400, _frame(Send.TYPE, b"\x90", magic=0x47)),
    "a reserved flag": (400, _frame(Send.TYPE, b"\x90", flags=0x80)),
    "more than a frame holds": (413, _frame(Send.TYPE, b"", length=MAX_FRAME_BODY_BYTES + 1)),
}


@on_a_connection("over polls frames do not travel, requests are made of them")
def test_a_malformed_send_is_told_so(block: Block, phone: MakePhone, wire: Callable[[], Wire]) -> None:
    """A send that cannot be accepted (... malformed ...) gets a definite error with a code, is not stored.

    Twelve kinds of broken SEND go out, each on a connection of its own and behind a good one. Expected: the
    good one is accepted; the broken one gets ERROR 400 (413 for what is too large for a frame), marked fatal,
    and the connection is closed; nobody has more than the good messages; others work as before.
    """
    sender, recipient = block.pick(2)
    target = phone(recipient)

    def try_one(number: int, name: str) -> None:
        code, frame = MALFORMED[name]
        connection = wire()
        log_in(connection, sender, f"device-{number}")
        connection.send(Send(fresh_cid(), recipient.user, "text", name.encode()))
        connection.expect(Sent)
        connection.send_bytes(frame)
        errors = [message for message in connection.expect_closed() if isinstance(message, Error)]
        assert [(error.code, error.fatal) for error in errors] == [(code, True)], (
            f"SEND with {name}: expected one fatal ERROR {code} and the end, got {errors}"
        )

    jobs = [gevent.spawn(try_one, number, name) for number, name in enumerate(MALFORMED)]
    gevent.joinall(jobs, raise_error=True)
    reader: Phone = phone(recipient, "reader")
    found = sorted(entry.body.decode() for entry in reader.inbox())
    assert found == sorted(MALFORMED), f"expected only the good messages to be stored, found {found}"
    phone(sender).say(recipient.user, b"as before")
    target.await_push(b"as before")
