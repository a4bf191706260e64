"""What users read: STO.2, STO.3, UNR.1, UNR.2, UNR.3, SEC.5."""

import pytest
from business_world import World

from protocol.limits import MAX_PAGE_BYTES, MAX_PAGE_ENTRIES
from protocol.messages import Contacts, Error, History, Item, Ping, Pull, Read, Send, SendPackage, Unread


def text(cid: str, to: str, body: bytes = b"hello") -> Send:
    return Send(cid, to, "text", body)


def counts(world: World, user: str) -> tuple[int, dict[str, int]]:
    answer = world.ask(user, Unread())
    return answer.total, {each.conversation: each.unread for each in answer.counts}


def test_each_count_is_what_was_received_and_not_read_and_the_total_is_their_sum(world: World) -> None:
    world.ask_all([("alice", text(f"{n}", "bob")) for n in range(3)])
    world.ask_all([("carol", text(f"{n}", "g:team")) for n in range(2)])
    assert counts(world, "bob") == (5, {"alice:bob": 3, "g:team": 2})
    assert counts(world, "alice") == (2, {"g:team": 2})
    assert counts(world, "carol") == (0, {})


def test_reading_lowers_both_counts_together(world: World) -> None:
    world.ask_all([("alice", text(f"{n}", "bob")) for n in range(3)])
    world.ask("carol", text("c", "bob"))
    update = world.ask("bob", Read("alice:bob", 2))
    assert (update.conversation, update.sequence, update.unread, update.total_unread) == (
        "alice:bob",
        2,
        1,
        2,
    )
    assert counts(world, "bob") == (2, {"alice:bob": 1, "bob:carol": 1})


def test_reading_twice_or_an_older_point_changes_nothing(world: World) -> None:
    world.ask_all([("alice", text(f"{n}", "bob")) for n in range(3)])
    first = world.ask("bob", Read("alice:bob", 2))
    assert world.ask("bob", Read("alice:bob", 2)) == first
    assert world.ask("bob", Read("alice:bob", 1)) == first
    assert world.ask("bob", Read("alice:bob", 0)) == first
    assert counts(world, "bob") == (1, {"alice:bob": 1})


def test_reads_from_several_devices_at_once_agree(world: World) -> None:
    world.ask_all([("alice", text(f"{n}", "bob")) for n in range(9)])
    updates = world.ask_all([("bob", Read("alice:bob", point)) for point in (4, 9, 2, 9, 6)])
    assert [update.unread for update in updates] == [5, 0, 0, 0, 0]
    assert [update.sequence for update in updates] == [4, 9, 9, 9, 9]
    assert counts(world, "bob") == (0, {})


def test_beyond_the_newest_counts_as_the_newest(world: World) -> None:
    world.ask("alice", text("1", "bob"))
    assert world.ask("bob", Read("alice:bob", 2**63 - 1)).sequence == 1
    world.ask("alice", text("2", "bob"))
    assert counts(world, "bob") == (1, {"alice:bob": 1})


def test_own_messages_are_never_unread(world: World) -> None:
    world.ask_all([(user, text(f"{n}", "g:team")) for n in range(4) for user in ("alice", "bob")])
    assert counts(world, "alice") == (4, {"g:team": 4})
    assert counts(world, "carol") == (8, {"g:team": 8})
    assert world.ask("alice", Read("g:team", 7)).unread == 1


def test_counts_stay_exact_under_repeats_and_a_hundred_senders(world: World) -> None:
    senders = [f"s{n}" for n in range(100)]
    world.befriend(*senders, group="crowd")
    sends = [(sender, text(f"{n}", "g:crowd")) for n in range(3) for sender in senders]
    world.ask_all(sends + sends[::2])
    world.restart()
    world.ask_all(sends[::3])
    assert counts(world, "s0") == (297, {"g:crowd": 297})


def test_a_read_is_told_to_the_other_connections_of_the_user_once(world: World) -> None:
    world.ask("alice", text("1", "bob"))
    world.log_in("bob", 1, "phone")
    world.log_in("bob", 2, "tablet")
    update = world.ask("bob", Read("alice:bob", 1), device="phone", connection=1)
    world.ask("bob", Read("alice:bob", 1), device="phone", connection=1)
    assert world.node.of("tell") == [("bob", update, 1)]


@pytest.mark.parametrize(
    ("user", "conversation", "code"),
    [
        ("alice", "alice:bob", 404),
        ("alice", "g:none", 404),
        ("alice", "bob:carol", 403),
        ("stranger", "g:team", 403),
        ("alice", "nonsense", 403),
    ],
)
def test_reading_what_is_not_there_or_not_ones_own_is_an_error(
    world: World, user: str, conversation: str, code: int
) -> None:
    answer = world.ask(user, Read(conversation, 1))
    assert isinstance(answer, Error)
    assert answer.code == code


def test_a_pull_gives_precisely_what_is_missing(world: World) -> None:
    world.ask_all([("alice", text(f"{n}", "bob")) for n in range(10)])
    page = world.ask("bob", Pull(3, 4))
    assert [entry.version for entry in page.entries] == [4, 5, 6, 7]
    assert (page.newest, page.more) == (10, True)
    page = world.ask("bob", Pull(7, 4))
    assert ([entry.version for entry in page.entries], page.more) == ([8, 9, 10], False)
    page = world.ask("bob", Pull(10, 4))
    assert (page.entries, page.newest, page.more) == ([], 10, False)
    assert world.ask("bob", Pull(99, 4)).entries == []


def test_a_page_holds_at_most_a_thousand_entries(world: World) -> None:
    for part in range(11):
        world.ask("alice", SendPackage(f"p{part}", "bob", [Item("text", b"")] * 100))
    for limit in (0, 1000, 5000):
        page = world.ask("bob", Pull(0, limit))
        assert (len(page.entries), page.more) == (MAX_PAGE_ENTRIES, True)


def test_bodies_in_a_page_fit_a_frame(world: World) -> None:
    world.ask_all([("alice", text(f"{n}", "bob", bytes(65536))) for n in range(14)])
    page = world.ask("bob", Pull(0, 0))
    assert sum(len(entry.body) for entry in page.entries) == MAX_PAGE_BYTES
    assert page.more
    history = world.ask("bob", History("alice:bob", 0, 0))
    assert [entry.sequence for entry in history.entries] == list(range(14, 2, -1))
    assert history.more


def test_history_pages_backwards_without_gaps_and_is_the_same_from_both_sides(world: World) -> None:
    world.ask_all(
        [(user, text(f"{n}", to)) for n in range(10) for user, to in (("alice", "bob"), ("bob", "alice"))]
    )
    sides = []
    for user in ("alice", "bob"):
        seen, before, more = [], 0, True
        while more:
            page = world.ask(user, History("alice:bob", before, 3))
            seen += [(entry.sequence, entry.mid, entry.sender, entry.body) for entry in page.entries]
            before, more = page.entries[-1].sequence, page.more
        sides.append(seen)
    assert sides[0] == sides[1]
    assert [sequence for sequence, *_ in sides[0]] == list(range(20, 0, -1))


def test_history_carries_the_versions_of_the_asking_user(world: World) -> None:
    world.ask("carol", text("1", "bob"))
    world.ask("alice", text("1", "bob"))
    assert world.ask("alice", History("alice:bob", 0, 0)).entries[0].version == 1
    assert world.ask("bob", History("alice:bob", 0, 0)).entries[0].version == 2


def test_a_stranger_cannot_tell_a_foreign_conversation_from_none(world: World) -> None:
    world.ask("alice", text("1", "bob"))
    world.ask("alice", text("2", "g:team"))
    answers = [
        world.ask("stranger", History(name, 0, 0))
        for name in ("alice:bob", "alice:nobody", "g:team", "g:none", "alice:stranger", "stranger:")
    ]
    assert {answer.code for answer in answers} == {403}
    assert len(set(map(str, answers))) == 1


def test_the_history_of_friends_who_never_wrote_is_empty(world: World) -> None:
    for name in ("alice:bob", "g:team"):
        page = world.ask("alice", History(name, 0, 0))
        assert (page.entries, page.more) == ([], False)


def test_contacts_are_one_row_each_most_recent_first(world: World) -> None:
    world.ask("alice", text("1", "bob"))
    world.ask("carol", text("2", "alice"))
    newest = world.ask("bob", text("3", "alice"))
    world.ask("bob", text("4", "carol"))
    contacts = world.ask("alice", Contacts(0, 0)).contacts
    assert [(contact.peer, contact.sequence, contact.unread) for contact in contacts] == [
        ("bob", 2, 1),
        ("carol", 1, 1),
    ]
    assert (contacts[0].mid, contacts[0].at_ms) == (newest.mid, newest.at_ms)
    after = world.ask("alice", Contacts(contacts[0].mid, 5)).contacts
    assert [contact.peer for contact in after] == ["carol"]
    assert [contact.peer for contact in world.ask("alice", Contacts(0, 1)).contacts] == ["bob"]


def test_a_group_is_a_contact_under_its_own_name(world: World) -> None:
    world.ask("alice", text("1", "g:team"))
    assert [contact.peer for contact in world.ask("bob", Contacts(0, 0)).contacts] == ["g:team"]


def test_a_message_that_is_no_request_is_malformed(world: World) -> None:
    assert world.ask("alice", Ping()).code == 400
