"""The crash loop: what a sound server keeps, and that a broken one is caught."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from command_line import chatproof, one_line

from chatproof.crashing.looking import State
from chatproof.crashing.register import Register
from protocol.messages import Contact, Entry

_PATIENT = ("--restart-limit", "60")


def test_a_sound_server_keeps_everything_over_three_kills(tmp_path: Path) -> None:
    ended = chatproof(
        "crashes", "--rounds", "3", "--seed", "1", "--access-processes", "1", "--json", "told.json",
        *_PATIENT, cwd=tmp_path,
    )  # fmt: skip
    told = json.loads((tmp_path / "told.json").read_text())
    assert (ended.code, ended.left, told["violations"], told["undecided"]) == (0, (), [], ""), ended.err
    assert set(told["checks"].values()) == {"pass"}
    assert told["rounds"] == sum(told["kills"].values()) == 3
    assert all(told["kills"].values()), "the server and its access process are killed both"
    assert told["sends_acknowledged"] > 100
    assert told["deliveries"] > told["sends_acknowledged"]
    assert ended.out.count(" kept\n") == 3


def test_a_server_that_acknowledges_before_the_commit_is_caught(tmp_path: Path) -> None:
    ended = chatproof(
        "crashes", "--rounds", "12", "--seed", "1", "--mutant", "acknowledged_before_the_commit",
        "--json", "told.json", *_PATIENT, cwd=tmp_path,
    )  # fmt: skip
    told = json.loads((tmp_path / "told.json").read_text())
    assert (ended.code, ended.left) == (1, ()), ended.err
    assert told["violations"]
    assert "VIOLATIONS" in ended.out


def test_a_folder_that_is_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "file").touch()
    ended = chatproof("crashes", "--data", "old", cwd=tmp_path)
    assert (ended.code, *one_line(ended)) == (2,)
    assert "not empty" in ended.err


def test_a_package_that_is_acknowledged_in_part_is_named() -> None:
    spoken = Spoken()
    spoken.register.acknowledged([b"2", b"3"], [(12, 1)])
    assert any("was acknowledged as (0, 0), but stored as (13, 2)" in line for line in spoken.wrong())


A, B, C = "a", "b", "c"
PAIR, GROUP = "a:b", "g:a"
PARTIES = {PAIR: [A, B], GROUP: [A, B, C]}


class Spoken:
    """Three messages, the first one between two, and what a sound server says of them."""

    def __init__(self) -> None:
        self.register = Register(PARTIES)
        self.register.said([b"1"], A, PAIR)
        self.register.said([b"2", b"3"], A, GROUP)
        self.register.acknowledged([b"1"], [(11, 1)])
        self.register.acknowledged([b"2", b"3"], [(12, 1), (13, 2)])
        self.register.read(B, GROUP, 1)
        first, second, third = (11, PAIR, 1, b"1"), (12, GROUP, 1, b"2"), (13, GROUP, 2, b"3")
        self.inboxes = {A: [first, second, third], B: [first, second, third], C: [second, third]}
        self.counts = {A: {}, B: {PAIR: 1, GROUP: 1}, C: {GROUP: 2}}
        self.totals = {A: 0, B: 2, C: 2}
        self.newest: dict[str, int] = {}
        self.contacts: dict[str, list[Contact]] = {}

    def wrong(self) -> list[str]:
        return list(self.register.compare([self._state(user) for user in PARTIES[GROUP]]))

    def _state(self, user: str) -> State:
        tail = entries(self.inboxes[user])
        counts = self.counts[user]
        last = {entry.conversation: entry for entry in tail}
        contacts = [
            Contact(_peer(user, name), it.mid, it.sequence, 0, counts.get(name, 0))
            for name, it in last.items()
        ]
        histories = {name: [it for it in tail if it.conversation == name] for name in last}
        return State(
            user, 0, self.newest.get(user, len(tail)), tail, self.contacts.get(user, contacts),
            self.totals[user], counts, histories,
        )  # fmt: skip


def _peer(user: str, conversation: str) -> str:
    return conversation if conversation == GROUP else B if user == A else A


def entries(rows: Sequence[tuple[Any, ...]]) -> list[Entry]:
    return [
        Entry(version, mid, name, sequence, A, "text", body, 0)
        for version, (mid, name, sequence, body) in enumerate(rows, 1)
    ]


def test_nothing_is_wrong_with_what_is_as_it_was_said() -> None:
    assert Spoken().wrong() == []


@pytest.mark.parametrize(
    ("breaks", "says"),
    [
        (lambda it: it.inboxes[B].pop(0), "acknowledged as (11, 1), is missing at b"),
        (lambda it: it.inboxes[B].append((14, PAIR, 2, b"1")), "is there twice"),
        (lambda it: it.inboxes[C].append((14, GROUP, 3, b"?")), "is nothing that was said"),
        (lambda it: it.inboxes[C].reverse(), "comes after"),
        (
            lambda it: it.inboxes[B].insert(1, it.inboxes[B].pop(0)),
            "a package of 2 stands at versions [1, 3]",
        ),
        (lambda it: it.inboxes[C].__setitem__(0, (99, GROUP, 1, b"2")), "has several places"),
        (lambda it: it.newest.update({A: 4}), "versions 1 to 4 are not all there once: [4]"),
        (lambda it: it.counts[C].update({GROUP: 3}), "3 unread in g:a, 3 in the contact, expected 2"),
        (lambda it: it.totals.update({B: 3}), "3 unread in all, but the counts sum to 2"),
        (lambda it: it.contacts.update({C: []}), "the contact g:a points to None"),
    ],
)
def test_each_thing_that_a_crash_can_leave_is_named(breaks: Any, says: str) -> None:
    spoken = Spoken()
    breaks(spoken)
    found = spoken.wrong()
    assert any(says in line for line in found), found
