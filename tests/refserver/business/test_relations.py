"""Accounts, friends and members change beside a running server, which notices with the next message."""

import subprocess
import sys

from business_world import World

from protocol.messages import History, Pull, Read, Send
from refserver import accounts


def text(cid: str, to: str) -> Send:
    return Send(cid, to, "text", b"hello")


def test_new_friends_may_write_at_once(world: World) -> None:
    assert world.ask("alice", text("1", "stranger")).code == 403
    accounts.befriend(world.data_dir, ["alice", "stranger"])
    assert world.ask("alice", text("1", "stranger")).sequence == 1


def test_a_new_account_is_known_at_once(world: World) -> None:
    assert world.ask("alice", text("1", "dave")).code == 404
    accounts.add(world.data_dir, ["dave"])
    assert world.ask("alice", text("1", "dave")).code == 403


def test_a_change_by_another_process_is_noticed(world: World) -> None:
    assert world.ask("stranger", text("1", "g:team")).code == 403
    program = f"from refserver import accounts; accounts.group({str(world.data_dir)!r}, 'team', ['stranger'])"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
    assert world.ask("stranger", text("1", "g:team")).sequence == 1


def test_a_member_who_left_gets_nothing_more_and_keeps_what_it_had(world: World) -> None:
    world.ask("alice", text("1", "g:team"))
    accounts.group(world.data_dir, "team", ["carol"], remove=True)
    world.business.watch(world.node, "carol")
    world.ask("alice", text("2", "g:team"))
    assert world.node.of("push") == []
    assert world.ask("carol", Pull(0, 0)).newest == 1
    assert world.ask("carol", text("3", "g:team")).code == 403
    assert [entry.sequence for entry in world.ask("carol", History("g:team", 0, 0)).entries] == [1]
    assert world.ask("carol", Read("g:team", 1)).unread == 0


def test_a_member_who_joins_gets_what_comes_from_then_on(world: World) -> None:
    world.ask("alice", text("1", "g:team"))
    accounts.group(world.data_dir, "team", ["stranger"])
    world.ask("alice", text("2", "g:team"))
    (entry,) = world.ask("stranger", Pull(0, 0)).entries
    assert (entry.version, entry.sequence) == (1, 2)
