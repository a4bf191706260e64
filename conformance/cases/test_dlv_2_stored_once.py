"""DLV.2: a retransmitted send is stored once, and answered with the same id and sequence each time."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import gevent
import pytest

from conformance.accounts import Block, User
from conformance.clients import MakePhone, farewell
from conformance.phone import fresh_cid
from drivers.pumps.wire import Wire
from protocol.messages import Login, Send, Sent

if TYPE_CHECKING:
    from refserver.process import ServerProcess

pytestmark = pytest.mark.clause("DLV.2")


def stored(phone: MakePhone, owner: User, conversation: str) -> list[tuple[int, int, bytes]]:
    """(mid, sequence, body) of a conversation as a new device finds it in the inbox, oldest first."""
    entries = phone(owner, "reader").inbox()
    return [(e.mid, e.sequence, e.body) for e in entries if e.conversation == conversation]


def assert_same(first: Sent, again: Sent, how: str) -> None:
    """The answer to a repeat says what the first answer said."""
    expected = (first.mid, first.conversation, first.sequence, first.version)
    got = (again.mid, again.conversation, again.sequence, again.version)
    assert got == expected, f"{how}: expected mid, conversation, sequence, version {expected}, got {got}"


def assert_stored_once(phone: MakePhone, owner: User, sent: Sent, body: bytes) -> None:
    """The recipient's inbox holds the message once, under the id of the answer."""
    found = stored(phone, owner, sent.conversation)
    expected = [(sent.mid, sent.sequence, body)]
    assert found == expected, f"expected the message to be stored once, as {expected}, found {found}"


def test_a_repeat_on_the_same_connection(block: Block, phone: MakePhone) -> None:
    """The server stores it once and returns the same message id and sequence each time.

    A send is repeated eleven times with the same client message id, each after the answer to the one before.
    Expected: twelve times the same answer; the recipient's inbox has one message.
    """
    sender, recipient = block.pick(2)
    source, cid = phone(sender), fresh_cid()
    first = source.say(recipient.user, b"once", cid=cid)
    for attempt in range(2, 13):
        assert_same(first, source.say(recipient.user, b"once", cid=cid), f"attempt {attempt}")
    assert_stored_once(phone, recipient, first, b"once")


def test_repeats_in_one_piece(block: Block, phone: MakePhone) -> None:
    """... stores it once: also when repeats arrive before the first is stored.

    Twenty times, the same send is written three times in one piece. Expected: three equal answers each time;
    the inbox of the recipient has twenty messages.
    """
    sender, recipient = block.pick(2)
    source = phone(sender)
    answers = []
    for number in range(20):
        send = Send(fresh_cid(), recipient.user, "text", f"thrice {number}".encode())
        source.wire.send(send, send, send)
        first, *repeats = [source.answer_to(send.cid) for _ in range(3)]
        assert isinstance(first, Sent), f"expected SENT, got {first}"
        for again in repeats:
            assert isinstance(again, Sent), f"repeat in one piece: expected SENT again, got {again}"
            assert_same(first, again, f"send {number}, repeated in one piece")
        answers.append(first)
    found = stored(phone, recipient, answers[0].conversation)
    assert [mid for mid, _, _ in found] == [answer.mid for answer in answers], (
        f"expected each of 20 sends to be stored once, found {len(found)} messages"
    )


def test_a_repeat_on_another_connection(block: Block, phone: MakePhone) -> None:
    """... the same each time, also to another connection.

    The device sends, hangs up without a farewell, logs in again and repeats; then it leaves in order and does
    so once more. Expected: the same answer; stored once.
    """
    sender, recipient = block.pick(2)
    source, cid = phone(sender), fresh_cid()
    first = source.say(recipient.user, b"over again", cid=cid)
    source.hang_up()
    back = phone(sender)
    assert_same(first, back.say(recipient.user, b"over again", cid=cid), "after a lost connection")
    farewell(back)
    assert_same(first, phone(sender).say(recipient.user, b"over again", cid=cid), "after a farewell")
    assert_stored_once(phone, recipient, first, b"over again")


def test_a_repeat_while_the_first_connection_still_works_on_the_send(
    block: Block, phone: MakePhone, wire: Callable[[], Wire]
) -> None:
    """... stores it once: a client that gives its connection up repeats at once on a new one.

    Twelve times, a send goes out on the device's connection and at the same moment, with a new login, on
    another. Expected: stored once each time; the answers that come agree.
    """
    sender, recipient = block.pick(2)
    old = phone(sender)
    ids: list[int] = []
    for number in range(12):
        send = Send(fresh_cid(), recipient.user, "text", f"twice {number}".encode())
        new = wire()
        old.wire.send(send)
        new.send(Login(sender.token, "phone", "conformance"), send)
        answer = new.expect(Sent)
        ids.append(answer.mid)
        for late in [message for message in old.wire.collect(1.0) if isinstance(message, Sent)]:
            assert_same(answer, late, f"send {number} on two connections")
        new.close()
        old = phone(sender)
    found = [mid for mid, _, _ in stored(phone, recipient, answer.conversation)]
    assert found == ids, f"expected 12 messages, each stored once, found {len(found)}"


def test_repeats_from_many_connections_at_once(block: Block, phone: MakePhone) -> None:
    """... stored once for each device, however often and from wherever it comes.

    Six devices of a user send at the same time, each its own message, each three times with one client
    message id that all six share. Expected: six messages are stored, one for each device, and each device
    gets the same answer each time.
    """
    sender, recipient = block.pick(2)
    cid = fresh_cid()
    sources = [phone(sender, f"device-{number}") for number in range(6)]

    def send_thrice(number: int) -> list[Sent]:
        body = f"from device {number}".encode()
        return [sources[number].say(recipient.user, body, cid=cid) for _ in range(3)]

    answers = [job.get() for job in [gevent.spawn(send_thrice, number) for number in range(6)]]
    for number, (first, *again) in enumerate(answers):
        for repeat in again:
            assert_same(first, repeat, f"device {number}")
    mids = sorted(first.mid for first, *_ in answers)
    found = sorted(mid for mid, _, _ in stored(phone, recipient, answers[0][0].conversation))
    assert found == mids, f"expected one stored message for each of six devices ({mids}), found {found}"


def test_the_same_id_from_another_device_is_another_message(block: Block, phone: MakePhone) -> None:
    """Ids are the client's own: (user, device, cid) is the key.

    Two devices of one user, and another user, use the same client message id. Expected: three messages.
    """
    sender, other, recipient = block.pick(3)
    cid = fresh_cid()
    answers = [
        phone(sender, "phone").say(recipient.user, b"from the phone", cid=cid),
        phone(sender, "tablet").say(recipient.user, b"from the tablet", cid=cid),
        phone(other, "phone").say(recipient.user, b"from somebody else", cid=cid),
    ]
    assert len({answer.mid for answer in answers}) == 3, (
        f"expected three messages of three devices, got the ids {[answer.mid for answer in answers]}"
    )
    bodies = [entry.body for entry in phone(recipient, "reader").inbox()]
    expected = [b"from the phone", b"from the tablet", b"from somebody else"]
    assert bodies == expected, f"expected {expected} in the recipient's inbox, found {bodies}"


def test_the_first_content_counts(block: Block, phone: MakePhone) -> None:
    """... stored once: a repeat with other content or another recipient is still a repeat.

    A client message id is used again with another body, another kind and another recipient. Expected: the
    first answer each time; nothing new for anybody.
    """
    sender, recipient, bystander = block.pick(3)
    source, cid = phone(sender), fresh_cid()
    first = source.say(recipient.user, b"the first", cid=cid)
    assert_same(first, source.say(recipient.user, b"the second", cid=cid), "with another body")
    assert_same(first, source.say(recipient.user, b"the first", kind="custom", cid=cid), "with another kind")
    assert_same(first, source.say(bystander.user, b"the first", cid=cid), "with another recipient")
    assert_stored_once(phone, recipient, first, b"the first")
    elsewhere = phone(bystander, "reader").inbox()
    assert elsewhere == [], f"expected nothing for {bystander.user}, found {elsewhere}"


def test_a_repeat_after_many_other_messages(block: Block, phone: MakePhone) -> None:
    """... each time: however much later.

    Between a send and its repeat the same device sends 1,500 others. Expected: still the first answer.
    """
    sender, recipient, other = block.pick(3)
    source, cid = phone(sender), fresh_cid()
    first = source.say(recipient.user, b"long ago", cid=cid)
    for part in range(6):
        source.say_all(other.user, [f"{part} {number}".encode() for number in range(250)])
    assert_same(first, source.say(recipient.user, b"long ago", cid=cid), "after 1,500 other sends")
    assert_stored_once(phone, recipient, first, b"long ago")


def test_a_repeat_is_pushed_to_nobody(block: Block, phone: MakePhone) -> None:
    """... stores it once: what is not stored again is not delivered again.

    The recipient acknowledges the push; then the send is repeated twice and another message follows.
    Expected: the recipient gets that other message and no further push of the first.
    """
    sender, recipient = block.pick(2)
    source, target, cid = phone(sender), phone(recipient), fresh_cid()
    first = source.say(recipient.user, b"pushed once", cid=cid)
    target.acknowledge(target.await_push(b"pushed once").version)
    for _ in range(2):
        source.say(recipient.user, b"pushed once", cid=cid)
    source.say(recipient.user, b"the end")
    target.await_push(b"the end")
    came = [push.body for push in target.pushes]
    assert came == [b"pushed once", b"the end"], (
        f"expected no push for the repeats of message {first.mid}, got {came}"
    )


def test_a_repeat_after_a_restart(block: Block, phone: MakePhone, server: "ServerProcess") -> None:
    """... and after a restart.

    Five messages are sent; the server is stopped in order and started again, then killed and started again;
    each time all five are repeated. Expected: the first answers; each stored once.
    """
    sender, recipient = block.pick(2)
    cids = [fresh_cid() for _ in range(5)]

    def send_all() -> list[Sent]:
        source = phone(sender)
        answers = [source.say(recipient.user, cid.encode(), cid=cid) for cid in cids]
        # A server that drains waits for who is still there.
        source.hang_up()
        return answers

    first = send_all()
    for end in (server.stop, server.kill):
        end()
        server.start()
        for answer, again in zip(first, send_all(), strict=True):
            assert_same(answer, again, f"after {end.__name__} and start")
    found = [mid for mid, _, _ in stored(phone, recipient, first[0].conversation)]
    expected = [answer.mid for answer in first]
    assert found == expected, f"expected the messages {expected}, each once, found {found}"
