"""From a send to its acknowledgement: rules 1 and 2, DLV.2, DLV.8, ORD.1, ORD.4, ORD.5."""

from itertools import pairwise
from pathlib import Path

import pytest
from business_world import PATIENCE_S, World
from gevent.event import Event

from protocol.limits import MAX_MESSAGE_BODY_BYTES
from protocol.messages import Error, History, Item, PackageSent, Pull, Send, SendPackage, Sent
from refserver.business.business import Business
from refserver.storage.writing import Rows


def text(cid: str, to: str = "bob", body: bytes = b"hello") -> Send:
    return Send(cid, to, "text", body)


def package(cid: str, *bodies: bytes, to: str = "bob") -> SendPackage:
    return SendPackage(cid, to, [Item("text", body) for body in bodies])


class HeldStorage:
    """Stops every commit between the decision and the disk until it is let go."""

    def __init__(self, storage: object) -> None:
        self._storage = storage
        self.reached, self.released = Event(), Event()

    def __getattr__(self, name: str) -> object:
        return getattr(self._storage, name)

    def write(self, rows: Rows) -> None:
        self.reached.set()
        assert self.released.wait(PATIENCE_S)
        self._storage.write(rows)  # type: ignore[attr-defined]


def test_nothing_is_told_before_the_commit(world: World) -> None:
    held = HeldStorage(world.storage)
    world.business.close()
    world.business = Business(held)  # type: ignore[arg-type]
    world.business.watch(world.node, "bob")
    reply = world.put("alice", text("c1"))
    assert held.reached.wait(PATIENCE_S)
    assert world.node.notes == []
    assert world.storage.answer([("bob", Pull(0, 0))])[0].entries == []  # type: ignore[attr-defined]
    held.released.set()
    assert reply.get(timeout=PATIENCE_S).version == 1
    assert [user for user, _, _ in world.node.of("push")] == ["bob"]


def test_what_was_acknowledged_survives_a_restart(world: World) -> None:
    sent = world.ask("alice", text("c1"))
    world.restart()
    (entry,) = world.ask("bob", Pull(0, 0)).entries
    assert (entry.mid, entry.sequence, entry.body) == (sent.mid, sent.sequence, b"hello")


def test_a_repeat_gets_the_first_answer_and_nothing_else_happens(world: World) -> None:
    world.business.watch(world.node, "bob")
    first = world.ask("alice", text("c1"))
    world.ask("alice", text("c2"))
    again = [world.ask("alice", text("c1")), world.ask("alice", text("c1", body=b"another"))]
    world.restart()
    again.append(world.ask("alice", text("c1", to="carol")))
    again.append(world.ask("alice", text("c1", body=bytes(MAX_MESSAGE_BODY_BYTES + 1))))
    assert again == [first] * 4
    assert world.ask("bob", Pull(0, 0)).newest == 2
    assert world.ask("carol", Pull(0, 0)).newest == 0


def test_repeats_in_one_batch_are_stored_once(world: World) -> None:
    world.business.watch(world.node, "bob")
    answers = world.ask_all([("alice", text("c1"))] * 5)
    assert answers == [answers[0]] * 5
    assert len(world.node.of("push")) == 1


def test_a_repeated_package_gets_its_first_answer(world: World) -> None:
    first = world.ask("alice", package("c1", b"1", b"2", b"3"))
    world.ask("bob", text("x", to="alice"))
    assert world.ask("alice", package("c1", b"1", b"2", b"3")) == first
    world.restart()
    assert world.ask("alice", package("c1", b"1")) == first
    assert isinstance(first, PackageSent)
    assert len(first.placed) == 3


def test_a_package_of_one_is_answered_as_a_package_also_when_repeated(world: World) -> None:
    first = world.ask("alice", package("c1", b"only"))
    assert isinstance(first, PackageSent)
    assert world.ask("alice", package("c1", b"only")) == first


def test_the_same_cid_of_another_device_or_user_is_another_send(world: World) -> None:
    answers = [
        world.ask("alice", text("c1"), device="phone"),
        world.ask("alice", text("c1"), device="tablet"),
        world.ask("bob", text("c1", to="alice"), device="phone"),
    ]
    assert [answer.sequence for answer in answers] == [1, 2, 3]


@pytest.mark.parametrize("cid", ["\0", "a\0b", '"', "\\", "ü€😀", "'; DROP TABLE messages; --"])
def test_any_cid_is_stored_once(world: World, cid: str) -> None:
    first = world.ask("alice", text(cid))
    assert isinstance(first, Sent)
    assert world.ask("alice", text(cid)) == first


REFUSED = {
    "an unknown user": (text("c", to="nobody"), 404),
    "an unknown group": (text("c", to="g:none"), 404),
    "the name of a conversation": (text("c", to="alice:bob"), 404),
    "no friend": (text("c", to="stranger"), 403),
    "oneself": (text("c", to="alice"), 403),
    "too large": (text("c", body=bytes(MAX_MESSAGE_BODY_BYTES + 1)), 413),
    "an unknown kind": (Send("c", "bob", "smell", b""), 415),
    "a package with one bad item": (SendPackage("c", "bob", [Item("text", b""), Item("smell", b"")]), 415),
}


@pytest.mark.parametrize(("message", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused_gets_a_code_and_is_not_stored(world: World, message: Send, code: int) -> None:
    world.business.watch(world.node, "bob")
    good, refused, after = world.ask_all([("alice", text("1")), ("alice", message), ("alice", text("2"))])
    assert isinstance(refused, Error)
    assert (refused.code, refused.cid, refused.fatal) == (code, "c", False)
    assert (good.sequence, after.sequence) == (1, 2)
    assert world.ask("alice", Pull(0, 0)).newest == 2
    assert len(world.node.of("push")) == 2


def test_a_refused_cid_may_be_used_again(world: World) -> None:
    assert world.ask("alice", Send("c1", "bob", "smell", b"")).code == 415
    assert world.ask("alice", text("c1")).sequence == 1


def test_an_outsider_may_not_write_to_a_group(world: World) -> None:
    assert world.ask("stranger", text("c1", to="g:team")).code == 403


def test_without_friends_only_anybody_may_write_to_anybody_who_exists(world: World) -> None:
    world.business.close()
    world.business = Business(world.storage, friends_only=False)
    assert world.ask("alice", text("c1", to="stranger")).sequence == 1
    assert world.ask("alice", text("c2", to="nobody")).code == 404
    assert world.ask("ghost", text("c3", to="alice")).code == 403


def test_the_largest_body_is_accepted(world: World) -> None:
    body = bytes(range(256)) * (MAX_MESSAGE_BODY_BYTES // 256)
    world.ask("alice", text("c1", body=body))
    assert world.ask("bob", Pull(0, 0)).entries[0].body == body


def test_sequences_grow_by_one_in_order_of_acceptance_from_both_sides(world: World) -> None:
    answers = world.ask_all(
        [(user, text(f"{n}", to=to)) for n in range(20) for user, to in (("alice", "bob"), ("bob", "alice"))]
    )
    assert [answer.sequence for answer in answers] == list(range(1, 41))
    assert {answer.conversation for answer in answers} == {"alice:bob"}
    assert all(one.mid < other.mid for one, other in pairwise(answers))


def test_every_member_gets_a_group_message_in_the_same_order(world: World) -> None:
    world.ask_all([(user, text(f"{n}", to="g:team")) for n in range(5) for user in ("alice", "bob", "carol")])
    shown = [
        [(entry.sequence, entry.mid) for entry in world.ask(user, Pull(0, 0)).entries]
        for user in ("alice", "bob", "carol")
    ]
    assert shown[0] == shown[1] == shown[2]
    assert [sequence for sequence, _ in shown[0]] == list(range(1, 16))


def test_a_package_lies_adjacent_and_in_order(world: World) -> None:
    world.ask_all([("alice", package("p", b"1", b"2", b"3", to="g:team")), ("bob", text("c", to="g:team"))])
    bodies = [entry.body for entry in world.ask("carol", Pull(0, 0)).entries]
    assert bodies == [b"1", b"2", b"3", b"hello"]


def test_the_sender_has_its_messages_in_its_inbox_with_the_version_of_the_answer(world: World) -> None:
    sent = world.ask("alice", text("c1"))
    package_sent = world.ask("alice", package("c2", b"1", b"2"))
    entries = world.ask("alice", Pull(0, 0)).entries
    assert [entry.version for entry in entries] == [1, 2, 3]
    assert (sent.version, package_sent.version) == (1, 3)
    assert {entry.sender for entry in entries} == {"alice"}


def test_the_connection_that_sent_gets_no_echo_but_other_devices_do(world: World) -> None:
    world.log_in("alice", 1, "phone")
    world.log_in("alice", 2, "tablet")
    world.ask("alice", text("c1"), device="phone", connection=1)
    ((user, entry, except_connection),) = world.node.of("push")
    assert (user, entry.version, except_connection) == ("alice", 1, 1)


def test_pushes_come_in_version_order_after_the_answers(world: World) -> None:
    world.business.watch(world.node, "bob")
    world.ask_all([(user, text(f"{n}", to="g:team")) for n in range(50) for user in ("alice", "carol")])
    assert [entry.version for _, entry, _ in world.node.of("push")] == list(range(1, 101))


def test_ids_grow_while_the_clock_steps_back_and_over_a_restart(tmp_path: Path) -> None:
    now = [1_800_000_000.0]
    world = World(tmp_path, clock=lambda: now[0])
    world.befriend("alice", "bob")
    mids = []
    for n, step_s in enumerate((0, 0.001, -60, 0, -3600, 7200, -1)):
        now[0] += step_s
        if n in (3, 5):
            world.restart()
        mids += [answer.mid for answer in world.ask_all([("alice", text(f"{n}-{m}")) for m in range(20)])]
    world.stop()
    assert all(one < other for one, other in pairwise(mids))


def test_a_large_group_is_stored_over_several_commits_without_mixing_up_anything(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.befriend(*[f"u{n}" for n in range(90)], group="all")
    answers = world.ask_all([(f"u{n % 90}", text(f"{n}", to="g:all")) for n in range(200)])
    assert [answer.sequence for answer in answers] == list(range(1, 201))
    assert world.business.stats()["batches"] > 1
    page = world.ask("u7", History("g:all", 0, 0))
    assert [entry.sequence for entry in page.entries] == list(range(200, 0, -1))
    world.stop()
