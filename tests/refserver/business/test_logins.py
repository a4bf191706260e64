"""Presence and versions: what a device is told at login, and what is pushed to it from then on."""

from typing import Any

from business_world import PATIENCE_S, RecordingNode, World
from gevent.event import Event

from protocol.messages import Message, Send
from refserver import accounts
from refserver.business.business import Business
from refserver.business.memory import Generations
from refserver.business.presence import Presence


class WatchedStorage:
    """Counts questions for versions, and holds a commit after it is durable until it is let go."""

    def __init__(self, storage: Any, hold: bool = False) -> None:
        self._storage = storage
        self.committed, self.released = Event(), Event()
        self.version_queries: list[int] = []
        if not hold:
            self.released.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    def versions(self, users: Any) -> dict[str, int]:
        self.version_queries.append(len(users))
        answer: dict[str, int] = self._storage.versions(users)
        return answer

    def write(self, rows: Any) -> None:
        self._storage.write(rows)
        self.committed.set()
        assert self.released.wait(PATIENCE_S)


def watched(world: World, **options: Any) -> WatchedStorage:
    storage = WatchedStorage(world.storage, **options)
    world.business.close()
    world.business = Business(storage)  # type: ignore[arg-type]
    return storage


def text(cid: str, to: str) -> Message:
    return Send(cid, to, "text", b"hello")


def test_a_login_is_told_the_newest_version(world: World) -> None:
    assert world.log_in("bob", 1) == 0
    world.ask_all([("alice", text(f"{n}", "bob")) for n in range(3)])
    assert world.log_in("bob", 2, "tablet") == 3
    world.restart()
    assert world.log_in("bob", 3) == 3


def test_a_login_between_commit_and_push_is_told_the_version_before_the_push(world: World) -> None:
    storage = watched(world, hold=True)
    world.put("alice", text("c1", "bob"))
    assert storage.committed.wait(PATIENCE_S)
    world.business.attach(world.node, 1, "bob", "phone")
    assert world.business._logins.drain(PATIENCE_S)
    storage.released.set()
    world.drain()
    notes = [note for note in world.node.notes if note[0] in ("attached", "push")]
    assert [note[0] for note in notes] == ["attached", "push"]
    assert notes[0][2] == 0
    assert notes[1][2].version == 1


def test_a_version_read_before_a_commit_is_not_told_after_its_push(world: World) -> None:
    storage = watched(world)
    read, told = Event(), Event()

    def slowly(users: Any) -> dict[str, int]:
        answer: dict[str, int] = world.storage.versions(users)
        read.set()
        assert told.wait(PATIENCE_S)
        return answer

    storage.versions = slowly  # type: ignore[method-assign]
    world.business.attach(world.node, 1, "bob", "phone")
    assert read.wait(PATIENCE_S)
    assert world.ask("alice", text("c1", "bob")).sequence == 1
    told.set()
    world.drain()
    assert world.node.of("attached") == [(1, 1)]
    assert world.ask("alice", text("c2", "bob")).sequence == 2


def test_thousands_of_logins_in_one_turn_cost_one_query(world: World) -> None:
    users = accounts.generate(world.data_dir, 2000)
    storage = watched(world)
    for connection, user in enumerate(users):
        world.business.attach(world.node, connection, user, "d")
    world.drain()
    assert storage.version_queries == [2000]
    for connection, user in enumerate(users):
        world.business.attach(world.node, 5000 + connection, user, "d")
    world.drain()
    assert storage.version_queries == [2000]
    assert len(world.node.of("attached")) == 4000


def test_only_nodes_that_hold_the_user_get_pushes(world: World) -> None:
    other = RecordingNode("n2")
    world.business.attach(world.node, 1, "bob", "phone")
    world.business.watch(other, "bob")
    world.business.watch(other, "carol")
    world.ask("alice", text("1", "bob"))
    world.business.detach(world.node, "bob")
    world.ask("alice", text("2", "bob"))
    world.business.detach(other, "bob")
    world.ask("alice", text("3", "bob"))
    assert [entry.version for _, entry, _ in world.node.of("push")] == [1]
    assert [entry.version for _, entry, _ in other.of("push")] == [1, 2]


def test_a_node_keeps_a_user_until_the_last_device_has_left(world: World) -> None:
    for _ in range(3):
        world.business.watch(world.node, "bob")
    for n in range(4):
        world.ask("alice", text(f"{n}", "bob"))
        world.business.detach(world.node, "bob")
    assert [entry.version for _, entry, _ in world.node.of("push")] == [1, 2, 3]


def test_the_same_device_is_replaced_everywhere_but_where_it_logs_in(world: World) -> None:
    other = RecordingNode("n2")
    world.log_in("bob", 1, "phone")
    assert world.node.of("replaced") == []
    world.business.attach(other, 1, "bob", "phone")
    world.drain()
    assert world.node.of("replaced") == [("bob", "phone", None)]
    assert other.of("replaced") == [("bob", "phone", 1)]


def test_a_node_that_fails_costs_others_nothing(world: World) -> None:
    class Failing(RecordingNode):
        def push(self, *note: Any, **more: Any) -> None:
            raise RuntimeError("this node is broken")

    world.business.watch(Failing("broken"), "bob")
    world.business.watch(world.node, "bob")
    world.ask("alice", text("1", "bob"))
    world.ask("alice", text("2", "bob"))
    assert [entry.version for _, entry, _ in world.node.of("push")] == [1, 2]


def test_presence_counts_by_user_and_node() -> None:
    nodes = [RecordingNode(f"n{number}") for number in range(3)]
    presence = Presence()
    for node in (nodes[0], nodes[0], nodes[1], nodes[2]):
        presence.add("bob", node)
    assert (list(presence.nodes_of("bob")), presence.connections_of("bob")) == (nodes, 4)
    presence.remove("bob", nodes[1])
    presence.remove("bob", nodes[0])
    assert (list(presence.nodes_of("bob")), presence.connections_of("bob")) == ([nodes[0], nodes[2]], 2)
    for node in (nodes[0], nodes[2], nodes[2]):
        presence.remove("bob", node)
    assert (list(presence.nodes_of("bob")), presence.connections_of("bob"), len(presence)) == ([], 0, 0)


def test_memory_is_bounded_and_forgets_what_is_not_asked_for() -> None:
    memory: Generations[int, int] = Generations(100)
    memory[-1] = 7
    for number in range(10_000):
        memory[number] = number
        assert memory.get(-1) == 7
    assert len(memory) < 200
    assert memory.get(0) is None
