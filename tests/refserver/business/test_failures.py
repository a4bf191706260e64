"""A store that cannot write, and requests that break: all or nothing, a definite answer, and on it goes."""

import sqlite3
from typing import Any

import gevent
import pytest
from business_world import World

from protocol.messages import Pull, Read, Send, Unread
from refserver.business import planning
from refserver.business.business import Business
from refserver.business.planning import Plan
from refserver.storage import writing


def text(cid: str, to: str = "bob", body: bytes = b"hello") -> Send:
    return Send(cid, to, "text", body)


def limit_pages(world: World, pages: int) -> None:
    """The disk is full for the writer once the database has `pages` pages."""
    world.storage._writing.connection.execute(f"PRAGMA max_page_count = {pages}")


def test_a_full_disk_is_503_for_the_whole_batch_and_over_when_space_returns(world: World) -> None:
    world.business.watch(world.node, "bob")
    first = world.ask("alice", text("1"))
    limit_pages(world, 1)
    failed = world.ask_all([("alice", text(f"f{n}", body=bytes(60_000))) for n in range(8)])
    failed.append(world.ask("carol", text("f", body=bytes(60_000))))
    assert {answer.code for answer in failed} == {503}
    assert {answer.cid for answer in failed[:8]} == {f"f{n}" for n in range(8)}
    assert len(world.node.of("push")) == 1
    assert world.ask("bob", Pull(0, 0)).newest == 1
    assert world.log_in("bob", 1) == 1

    limit_pages(world, 1 << 30)
    second = world.ask("alice", text("f3"))
    assert (second.sequence, second.version) == (first.sequence + 1, first.version + 1)
    assert second.mid > first.mid
    assert [entry.version for _, entry, _ in world.node.of("push")] == [1, 2]
    assert world.ask("bob", Unread()).total == 2


@pytest.mark.parametrize("error", [sqlite3.OperationalError("disk I/O error"), ValueError("a bug")])
@pytest.mark.parametrize("step", range(6))
def test_a_commit_that_breaks_at_any_step_leaves_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception, step: int
) -> None:
    class Breaking:
        """Breaks at one of the statements of a commit, the commit itself included."""

        def __init__(self, cursor: sqlite3.Cursor) -> None:
            self._cursor = cursor
            self.connection = cursor.connection
            self._step = -1

        def execute(self, statement: str, values: Any = ()) -> Any:
            if statement != "ROLLBACK":
                self._step += 1
                if self._step == step:
                    raise error
            return self._cursor.execute(statement, values)

    world.ask("alice", text("0"))
    original = writing.write
    monkeypatch.setattr(
        writing, "write", lambda cursor, rows, before: original(Breaking(cursor), rows, before)
    )
    answers = world.ask_all([("alice", text("1")), ("bob", Read("alice:bob", 1))])
    expected = 503 if isinstance(error, sqlite3.OperationalError) else 500
    monkeypatch.undo()
    assert {answer.code for answer in answers if hasattr(answer, "code")} <= {expected}
    stored = [answer for answer in answers if not hasattr(answer, "code")]
    # A bug may spare single requests when they are tried alone: shorter commits have fewer steps to break at.
    assert not stored or isinstance(error, ValueError)
    assert world.ask("alice", text("1")).sequence == 2
    assert [entry.version for entry in world.ask("bob", Pull(0, 0)).entries] == [1, 2]
    assert world.ask("bob", Read("alice:bob", 2)).total_unread == 0


def test_a_fault_in_planning_one_request_costs_only_that_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Plan._refusal

    def broken(plan: Plan, user: str, to: str, items: Any) -> Any:
        if user == "carol":
            raise RuntimeError("poison")
        return original(plan, user, to, items)

    monkeypatch.setattr(Plan, "_refusal", broken)
    answers = world.ask_all([("alice", text("1")), ("carol", text("1")), ("alice", text("2"))])
    assert [getattr(answer, "code", None) for answer in answers] == [None, 500, None]
    assert world.ask("bob", Pull(0, 0)).newest == 2


def test_a_fault_of_a_whole_batch_costs_only_the_request_that_brings_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = planning.wanted

    def broken(requests: Any, memory: Any) -> Any:
        if any(request.user == "carol" for request in requests):
            raise RuntimeError("poison")
        return original(requests, memory)

    monkeypatch.setattr(planning, "wanted", broken)
    answers = world.ask_all([("alice", text("1")), ("carol", text("1")), ("alice", text("2"))])
    assert [getattr(answer, "code", None) for answer in answers] == [None, 500, None]
    assert [entry.version for entry in world.ask("bob", Pull(0, 0)).entries] == [1, 2]


def test_questions_are_answered_with_503_while_the_store_cannot_be_read(world: World) -> None:
    world.storage._pages.connection.execute("CREATE TEMP VIEW contacts AS SELECT 1 AS hides_the_table")
    assert world.ask("bob", Unread()).code == 503
    assert world.ask("bob", Pull(0, 0)).newest == 0


def test_draining_waits_for_what_was_asked(world: World) -> None:
    replies = [world.put("alice", text(f"{n}")) for n in range(1000)]
    assert world.business.drain(60)
    assert all(reply.ready() for reply in replies)
    assert world.business.stats()["messages"] == 1000


def test_draining_gives_up_in_time(world: World) -> None:
    class Stuck:
        def __getattr__(self, name: str) -> Any:
            return getattr(world.storage, name)

        def load(self, *asked: Any) -> Any:
            gevent.sleep(3600)

    world.business.close()
    world.business = Business(Stuck())  # type: ignore[arg-type]
    world.put("alice", text("1"))
    assert not world.business.drain(0.01)
