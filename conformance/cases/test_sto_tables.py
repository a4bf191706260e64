"""STO.1 to STO.3: one message for all, a history that pages without seams, and recent contacts."""

from dataclasses import astuple, dataclass

import gevent
import pytest

from conformance.accounts import Block, User
from conformance.clients import MakePhone
from conformance.phone import Phone
from protocol.messages import Contact, Entry, Sent
from protocol.names import conversation_between


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored of a message once: all but the version, which is each user's own."""

    mid: int
    conversation: str
    sequence: int
    sender: str
    kind: str
    body: bytes
    at_ms: int


def stored(entry: Entry) -> Stored:
    """The part of an entry that everybody shares."""
    return Stored(
        entry.mid, entry.conversation, entry.sequence, entry.sender, entry.kind, entry.body, entry.at_ms
    )


@pytest.mark.clause("STO.1")
@pytest.mark.needs("history")
def test_a_message_is_the_same_for_everybody(block: Block, phone: MakePhone) -> None:
    """Id, content, type and time of a message are stored once, whatever the number of recipients and devices.

    A message of each kind goes to a group of five with two devices each. Expected: every device's push, every
    member's pull and every member's history show the id and time of the SENT, and the kind and body as sent.
    """
    members = block.members()
    sender = members[0]
    devices = [phone(user, name) for user in members for name in ("phone", "tablet")]
    source = devices[0]
    bodies = {
        "text": "grüße, 你好".encode(),
        "image": bytes(range(256)) * 8,
        "audio": b"\x00",
        "video": b"\xc7\x20\x00\x00\x00\x00\x00\x04",
        "file": bytes(4096),
        "custom": b"{}",
    }
    expected = set()
    for kind, body in bodies.items():
        sent = source.say(block.group, body, kind=kind)
        expected.add(Stored(sent.mid, block.group, sent.sequence, sender.user, kind, body, sent.at_ms))
    seen: dict[str, set[Stored]] = {}
    for each in devices[1:]:
        seen[f"pushed to {each.name}"] = {stored(each.await_push(body)) for body in bodies.values()}
    for user in members:
        reader = phone(user, "reader")
        seen[f"pulled by {user.user}"] = {stored(entry) for entry in reader.inbox()}
        seen[f"in the history of {user.user}"] = {stored(e) for e in reader.history(block.group).entries}
    for way, messages in seen.items():
        differing = [astuple(message) for message in messages ^ expected]
        assert not differing, f"{way}: expected what the SENTs say, differing: {differing}"


@pytest.mark.clause("STO.1")
def test_equal_contents_are_different_messages(block: Block, phone: MakePhone) -> None:
    """... of *a message*: two that look alike are still two.

    The same body goes to the same friend five times, and to another friend. Expected: six ids; each inbox has
    its own five or one.
    """
    sender, one, other = block.pick(3)
    source = phone(sender)
    sent = [source.say(one.user, b"same") for _ in range(5)]
    elsewhere = source.say(other.user, b"same")
    mids = [answer.mid for answer in sent]
    assert len({*mids, elsewhere.mid}) == 6, f"expected six ids, got {[*mids, elsewhere.mid]}"
    for user, expected in ((one, mids), (other, [elsewhere.mid])):
        found = [entry.mid for entry in phone(user).inbox()]
        assert found == expected, f"{user.user}: expected the messages {expected}, found {found}"


def talk(one: Phone, other: Phone, count: int) -> list[Sent]:
    """A conversation of `count` messages in turn; the SENTs in order."""
    pair = (one, other)
    return [pair[n % 2].say(pair[1 - n % 2].user, f"turn {n}".encode()) for n in range(count)]


def page_through(phone: Phone, conversation: str, limit: int) -> list[Entry]:
    """The whole history, newest first, page by page."""
    entries: list[Entry] = []
    while True:
        page = phone.history(conversation, entries[-1].sequence if entries else 0, limit)
        assert len(page.entries) <= limit, f"expected at most {limit} entries, got {len(page.entries)}"
        assert page.entries or not page.more, "expected a page that says there is more to have entries"
        entries += page.entries
        if not page.more:
            return entries
        assert len(entries) < 1000, "expected the history to come to an end"


@pytest.mark.clause("STO.2")
def test_history_is_the_same_from_both_sides(block: Block, phone: MakePhone) -> None:
    """History between two users ... is the same from both sides, newest first.

    Two friends write seventeen messages in turn, and others in other conversations. Expected: both see these
    seventeen, the newest first, equal but for the versions, which are each one's own.
    """
    one, other, third = block.pick(3)
    phones = [phone(one), phone(other)]
    phone(third).say(one.user, b"elsewhere")
    phones[0].say(block.group, b"elsewhere")
    sent = talk(phones[0], phones[1], 17)
    name = conversation_between(one.user, other.user)
    histories = [each.history(name).entries for each in phones]
    expected = [answer.mid for answer in reversed(sent)]
    for each, entries in zip(phones, histories, strict=True):
        got = [entry.mid for entry in entries]
        assert got == expected, f"{each.name}: expected the messages {expected}, newest first, got {got}"
        inbox = {entry.mid: entry.version for entry in each.inbox()}
        for entry in entries:
            assert entry.version == inbox[entry.mid], (
                f"{each.name}: expected version {inbox[entry.mid]}, as in the inbox, got {entry.version}"
            )
    assert [stored(e) for e in histories[0]] == [stored(e) for e in histories[1]], (
        "expected both sides to see the same sender, kind, body and time of each message"
    )


@pytest.mark.clause("STO.2")
def test_history_pages_of_any_size_join_without_a_seam(block: Block, phone: MakePhone) -> None:
    """... pages backwards, newest first, without gaps or repeats.

    A conversation of eighteen messages is read with every page size from 1 to 19, from both sides. Expected:
    all eighteen, newest first, each once.
    """
    one, other = block.pick(2)
    phones = [phone(one), phone(other)]
    expected = [answer.mid for answer in reversed(talk(phones[0], phones[1], 18))]
    name = conversation_between(one.user, other.user)
    for limit in range(1, 20):
        for each in phones:
            got = [entry.mid for entry in page_through(each, name, limit)]
            assert got == expected, f"{each.name}, pages of {limit}: expected {expected}, got {got}"


@pytest.mark.clause("STO.2")
def test_history_pages_from_any_point(block: Block, phone: MakePhone) -> None:
    """... pages backwards from any point.

    From each of nine messages, and from beyond the newest, three older ones are asked for. Expected: the
    three just below that point, or what there is; `more` tells whether there are older ones.
    """
    one, other = block.pick(2)
    reader = phone(one)
    sent = talk(reader, phone(other), 9)
    name = sent[0].conversation
    sequences = [answer.sequence for answer in sent]
    for before in (*sequences, sequences[-1] + 1, sequences[-1] + 1000, 0):
        older = [sequence for sequence in sequences if not before or sequence < before]
        expected = older[:-4:-1]
        page = reader.history(name, before, 3)
        got = [entry.sequence for entry in page.entries]
        assert got == expected, f"before {before}: expected the sequences {expected}, got {got}"
        assert page.more == (len(older) > 3), f"before {before}: expected more to be {len(older) > 3}"


@pytest.mark.clause("STO.2")
def test_history_is_not_disturbed_by_new_messages(block: Block, phone: MakePhone) -> None:
    """... without gaps or repeats, also while the conversation goes on.

    A history of thirty messages is paged backwards, two at a time, while twenty more are sent. Expected: the
    thirty come without gap or repeat behind whatever was newest at the start.
    """
    one, other = block.pick(2)
    reader, source = phone(one, "reader"), phone(other)
    sent = talk(phone(one), source, 30)
    expected = [answer.mid for answer in reversed(sent)]
    sending = gevent.spawn(lambda: [source.say(one.user, f"more {n}".encode()) for n in range(20)])
    got = [entry.mid for entry in page_through(reader, sent[0].conversation, 2)]
    sending.get()
    assert got[-30:] == expected, f"expected the thirty messages {expected} at the end, got {got}"
    assert len(set(got)) == len(got), "expected no message twice"


@pytest.mark.clause("STO.2")
def test_history_of_large_messages_comes_whole(block: Block, phone: MakePhone) -> None:
    """... without gaps, also where a page does not fit a frame.

    Twenty messages of 60,000 bytes are read with a limit of 1,000. Expected: all twenty, newest first and
    intact, in as many pages as it takes.
    """
    sender, owner = block.pick(2)
    bodies = [bytes([number]) * 60_000 for number in range(20)]
    sent = phone(sender).say_all(owner.user, bodies)
    entries = page_through(phone(owner), sent[0].conversation, 1000)
    by_sequence = sorted(zip((answer.sequence for answer in sent), bodies, strict=True), reverse=True)
    got = [(entry.sequence, entry.body) for entry in entries]
    assert got == by_sequence, (
        f"expected the twenty bodies as sent, newest first, got the sequences {[s for s, _ in got]}"
    )


@pytest.mark.clause("STO.2")
def test_group_history_is_the_same_for_every_member(block: Block, phone: MakePhone) -> None:
    """Each party has its own row: history ... is the same from all sides.

    Five members write in turn. Expected: each sees all messages, newest first, its own included.
    """
    phones = [phone(user) for user in block.members()]
    sent = [phones[n % 5].say(block.group, f"{n}".encode()) for n in range(15)]
    expected = [answer.mid for answer in reversed(sent)]
    for each in phones:
        got = [entry.mid for entry in page_through(each, block.group, 4)]
        assert got == expected, f"{each.name}: expected {expected}, got {got}"


def assert_contacts(phone: Phone, newest: dict[str, Sent], when: str) -> None:
    """One row for each other party with its newest message, the most recent, last in `newest`, first."""
    expected = [(p, sent.mid, sent.sequence, sent.at_ms) for p, sent in reversed(newest.items())]
    got = [(c.peer, c.mid, c.sequence, c.at_ms) for c in phone.contacts()]
    assert got == expected, f"{phone.name}, {when}: expected the contacts {expected}, got {got}"


@pytest.mark.clause("STO.3")
def test_contacts_are_the_other_parties_most_recent_first(block: Block, phone: MakePhone) -> None:
    """Recent contacts of a user, one row per other party with the newest message id, most recent first.

    Three friends and a group talk with a user, who answers some, in changing order. Expected: after every
    message he has one row for each other party, with its newest message, the most recent at the top; and the
    friend has one for him.
    """
    owner, *friends = block.pick(4)
    own = phone(owner)
    others = {user.user: phone(user) for user in friends}
    newest: dict[str, Sent] = {}
    assert_contacts(own, newest, "before the first message")
    script: list[tuple[User, str]] = [(friends[n], "in") for n in (0, 1, 2)]
    script += [(friends[0], "group"), (friends[1], "out"), (friends[0], "in"), (friends[2], "out")]
    script += [(friends[1], "group"), (friends[1], "in")]
    for step, (friend, way) in enumerate(script):
        body = f"step {step}".encode()
        peer = block.group if way == "group" else friend.user
        newest.pop(peer, None)
        if way == "out":
            newest[peer] = own.say(friend.user, body)
        else:
            newest[peer] = others[friend.user].say(owner.user if way == "in" else block.group, body)
        assert_contacts(own, newest, f"after step {step}")
    for friend in friends:
        mine = {
            owner.user if peer == friend.user else peer: sent
            for peer, sent in newest.items()
            if peer in (friend.user, block.group)
        }
        if friend.user in block.group_members:
            assert_contacts(others[friend.user], mine, "from the other side")


@pytest.mark.clause("STO.3")
def test_contacts_page_without_gaps_or_repeats(block: Block, phone: MakePhone) -> None:
    """... one row per other party: in pages of any size.

    A user with seven contacts asks for them in pages of 1 to 8, each page after the last of the one before.
    Expected: all seven, most recent first, each once.
    """
    owner, *friends = block.pick(7)
    for user in friends:
        phone(user).say(owner.user, b"hello")
    phone(friends[0], "tablet").say(block.group, b"hello all")
    expected = [block.group, *(user.user for user in reversed(friends))]
    reader = phone(owner)
    for limit in range(1, 9):
        listed: list[Contact] = []
        while page := reader.contacts(listed[-1].mid if listed else 0, limit):
            assert len(page) <= limit, f"expected at most {limit} contacts, got {len(page)}"
            listed += page
            assert len(listed) <= 2 * len(expected), "expected the contacts to come to an end"
        got = [contact.peer for contact in listed]
        assert got == expected, f"pages of {limit}: expected {expected}, got {got}"
