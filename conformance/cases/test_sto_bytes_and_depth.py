"""STO.1 to STO.3, where stores get it wrong: untidy bodies, long histories, contacts after reads."""

import time

import pytest

from conformance.accounts import Block
from conformance.clients import MakePhone
from conformance.packages import say_package
from conformance.phone import fresh_cid
from protocol.limits import MAX_MESSAGE_BODY_BYTES
from protocol.messages import Item, PackageSent, SendPackage
from protocol.names import conversation_between

_UNTIDY = (
    b"",
    b" ",
    b"  around  ",
    b"\n",
    b"line\r\nline\n\r",
    b"\t\x0b\x0c",
    b"\x00",
    b"ends in nul\x00\x00",
    "e\u0301 is not \u00e9, \ufb01 is not fi, \u212b".encode(),
    "\ufeffbyte order mark".encode(),
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \ud7ff \uffff".encode(),
    b"\xed\xa0\x80 a surrogate",
    b"'; --\\ %s %00 &amp; <b>",
    b"\xff" * 100,
)


@pytest.mark.clause("STO.1", "DLV.1")
@pytest.mark.needs("history")
def test_bodies_are_bytes_and_stay_as_they_are(block: Block, phone: MakePhone) -> None:
    """... content ... of a message are stored once: the content that was sent, byte for byte.

    Bodies that are empty, blank, have spaces or zeros at their ends, line ends of all kinds, text in another
    Unicode form, or no text at all go to a friend. Expected: his inbox and the sender's history have them as
    they were sent, in order.
    """
    sender, friend = block.pick(2)
    source = phone(sender)
    sent = source.say_all(friend.user, list(_UNTIDY))
    inbox = [entry.body for entry in phone(friend).inbox()]
    history = [entry.body for entry in source.history(sent[0].conversation).entries][::-1]
    for where, found in (("the inbox", inbox), ("the history", history)):
        assert len(found) == len(_UNTIDY), f"{where}: expected {len(_UNTIDY)} messages, got {len(found)}"
        for got, body in zip(found, _UNTIDY, strict=True):
            assert got == body, f"{where}: expected {body!r}, got {got!r}"


@pytest.mark.clause("STO.2")
@pytest.mark.needs("packages")
def test_a_long_history_goes_back_to_its_beginning(block: Block, phone: MakePhone) -> None:
    """... history between two users pages backwards from any point, newest first, without gaps or repeats: to
    its first message, and with packages in it.

    Eleven hundred messages, every third hundred as a package, are read back in pages of the
    largest size and of 150. Expected: all of them, as they were sent.
    """
    sender, friend = block.pick(2)
    source = phone(sender)
    bodies: list[bytes] = []
    for part in range(11):
        more = [b"%d" % (part * 100 + number) for number in range(100)]
        bodies += more
        if part % 3:
            source.say_all(friend.user, more)
        else:
            items = [Item("text", body) for body in more]
            source.wire.send(SendPackage(fresh_cid(), friend.user, items))
            source.expect(PackageSent)
    name = conversation_between(sender.user, friend.user)
    reader = phone(friend)
    for limit in (1000, 150):
        found: list[bytes] = []
        before, more_follows = 0, True
        while more_follows:
            page = reader.history(name, before, limit)
            assert page.entries, f"in pages of {limit}, before {before}: expected entries"
            found += [entry.body for entry in page.entries]
            before, more_follows = page.entries[-1].sequence, page.more
        assert found == bodies[::-1], f"in pages of {limit}: expected 1100, got {len(found)} or others"


@pytest.mark.clause("STO.3")
@pytest.mark.needs("unread")
def test_a_read_changes_the_count_of_a_contact_only(block: Block, phone: MakePhone) -> None:
    """... with the newest message id, most recent first: a read is no message.

    Three friends write; the user looks at the contacts, reads what the first wrote, and looks again.
    Expected: the same contacts in the same order, with the same newest ids; only the first count is nought.
    """
    owner, *friends = block.pick(4)
    sent = [phone(friend).say(owner.user, b"hello") for friend in friends]
    reader = phone(owner, "reader")
    before = reader.contacts()
    assert [contact.mid for contact in before] == [each.mid for each in sent[::-1]], (
        f"expected the contacts with {sent[::-1]}, got {before}"
    )
    reader.read(sent[0].conversation, sent[0].sequence)
    after = reader.contacts()
    assert [(each.peer, each.mid, each.sequence) for each in after] == [
        (each.peer, each.mid, each.sequence) for each in before
    ], f"expected a read to move no contact of {before}, got {after}"
    counts = [contact.unread for contact in after]
    assert counts == [1, 1, 0], f"expected the counts [1, 1, 0], got {counts}"


_SIZES = [2**power + near for power in (8, 12, 15) for near in (-1, 0, 1)]
_SIZES += [MAX_MESSAGE_BODY_BYTES - 1, MAX_MESSAGE_BODY_BYTES]


@pytest.mark.clause("STO.1")
@pytest.mark.needs("history")
def test_bodies_of_every_size_are_stored_whole(block: Block, phone: MakePhone) -> None:
    """... content ... of a message are stored once: to its last byte, also where columns of databases end.

    Bodies of about 255, 4,095 and 32,767 bytes, and of the largest size, go to a friend. Expected: his inbox
    and the sender's history have them whole.
    """
    sender, friend = block.pick(2)
    source = phone(sender)
    bodies = [(b"%d " % size + bytes(range(256)) * 256)[:size] for size in _SIZES]
    sent = [source.say(friend.user, body) for body in bodies]
    inbox = [entry.body for entry in phone(friend).inbox()]
    history = [entry.body for entry in source.history(sent[0].conversation).entries][::-1]
    for where, found in (("the inbox", inbox), ("the history", history)):
        sizes = [len(body) for body in found]
        assert sizes == _SIZES, f"{where}: expected bodies of {_SIZES} bytes, got {sizes}"
        assert found == bodies, f"{where}: expected the bodies as they were sent"


_A_DAY_MS = 86_400_000


@pytest.mark.clause("STO.1")
@pytest.mark.needs("packages")
def test_the_time_of_a_message_is_in_milliseconds(block: Block, phone: MakePhone) -> None:
    """Id, content, type and time of a message: Unix time in milliseconds, the same for both sides.

    A message and a package are sent. Expected: what the sender is told is within a day of this machine's
    clock, and what is stored is no other.
    """
    sender, friend = block.pick(2)
    source = phone(sender)
    now_ms = int(time.time() * 1000)
    told = [source.say(friend.user, b"one").at_ms, say_package(source, friend.user, [b"two"]).at_ms]
    found = [entry.at_ms for entry in phone(friend).inbox()]
    assert found == told, f"expected the times that the sender was told, {told}, found {found}"
    for at_ms in told:
        assert abs(at_ms - now_ms) < _A_DAY_MS, f"expected a time about {now_ms}, got {at_ms}"


@pytest.mark.clause("STO.3")
@pytest.mark.needs("packages")
def test_a_package_moves_the_contact_to_its_last_message(block: Block, phone: MakePhone) -> None:
    """... one row per other party with the newest message id, most recent first: of a package that is its
    last.

    Two friends write to a user, one of them a package; the user sends a package to the other. Expected: after
    each the row of that friend is the first, with the last message of the package.
    """
    owner, one, other = block.pick(3)
    reader = phone(owner)
    for source, to, peer in (
        (phone(one), owner.user, one.user),
        (phone(other), owner.user, other.user),
        (reader, one.user, one.user),
    ):
        last = say_package(source, to, [b"first", b"second", b"third"]).placed[-1]
        found = [(each.peer, each.mid, each.sequence) for each in reader.contacts()[:1]]
        wanted = [(peer, last.mid, last.sequence)]
        assert found == wanted, f"expected {wanted} at the top, got {found}"


@pytest.mark.clause("STO.3")
def test_a_repeat_moves_no_contact(block: Block, phone: MakePhone) -> None:
    """... most recent first: what is sent again is as old as it was.

    Two friends write to a user; what the first sent is repeated, by the same connection and by a new one.
    Expected: the contacts of the user stay as they were, and so do the friend's.
    """
    owner, one, other = block.pick(3)
    reader, source, cid = phone(owner), phone(one), fresh_cid()
    source.say(owner.user, b"first", cid=cid)
    source.say(other.user, b"another")
    phone(other).say(owner.user, b"second")
    before = [each.contacts() for each in (reader, source)]
    for _ in range(2):
        source.say(owner.user, b"first", cid=cid)
        after = [each.contacts() for each in (reader, source)]
        assert after == before, f"expected a repeat to move nothing of {before}, got {after}"
        source = phone(one)
