"""The ladder, driven by hand through networks that come and go: what it never does, what it always finds."""

import random
from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from drivers.endpoints import parse_target
from drivers.ladder.answers import Point
from drivers.ladder.climb import PATIENCE_S, AskHttpdns, AskResolver, AskScheduler, Probe, Task
from drivers.ladder.ladder import EQUALLY_FAST, EQUALLY_FAST_S, Ladder
from drivers.ladder.race import FIRST_AT_ONCE, STAGGER_S

URL = "chat+scheduler://chat.example:80?httpdns=10.0.0.53&fallback=10.0.0.8,10.0.0.9"
PORTS = (14000, 443, 8080, 80)
HOSTS = ("10.0.0.1", "10.0.0.2", "10.0.0.8")
CARRIERS = ("tcp", "ws", "longpoll", "shortpoll")


class World:
    """A network: what is open in it, how long everything takes, and a clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.open: set[tuple[str, int, str]] = set()
        self.names: dict[str, list[str] | None] = {"httpdns": None, "resolver": None}
        self.points: list[Point] | None = None
        self.swallows = False
        self.rtt_s = 0.05
        self.begun: list[float] = []
        self._under_way: list[tuple[float, object, Task]] = []

    def carry(self, ladder: Ladder, until: float) -> None:
        """Time passes, and whatever the ladder wants done is."""
        standing = 0
        while True:
            climb = ladder.climb
            if climb is None:
                break
            for task in climb.take():
                if isinstance(task, Probe):
                    self.begun.append(self.now)
                self._under_way.append((self.now + self._takes(ladder, task), climb, task))
            self._under_way = [each for each in self._under_way if each[1] is climb]
            due = min([climb.deadline, *(at for at, _, _ in self._under_way)])
            if due > until:
                break
            standing = standing + 1 if due <= self.now else 0
            assert standing < 1000, "a climb that wants to be looked at again and again, and does nothing"
            self.now = max(self.now, due)
            for entry in [each for each in self._under_way if each[0] <= self.now]:
                self._under_way.remove(entry)
                self._tell(ladder, entry[2])
            ladder.settle(climb, self.now)
        self.now = max(self.now, until)

    def is_open(self, ladder: Ladder, route: int) -> bool:
        endpoint = ladder.endpoints[route]
        return (endpoint.host, endpoint.port, endpoint.carrier.name) in self.open

    def _takes(self, ladder: Ladder, task: Task) -> float:
        if isinstance(task, Probe) and not self.is_open(ladder, task.route):
            return 5.0 if self.swallows else self.rtt_s
        return self.rtt_s

    def _tell(self, ladder: Ladder, task: Task) -> None:
        climb = ladder.climb
        assert climb is not None
        if isinstance(task, Probe):
            if self.is_open(ladder, task.route):
                climb.answered(task.route, self.now)
            else:
                climb.failed(task.route, "refused", self.now)
        elif isinstance(task, AskScheduler):
            if self.points is None:
                climb.nothing(task, "refused", self.now)
            else:
                climb.points(task, self.points, self.now)
        else:
            found = self.names["httpdns" if isinstance(task, AskHttpdns) else "resolver"]
            assert isinstance(task, AskHttpdns | AskResolver)
            if found is None:
                climb.nothing(task, "refused", self.now)
            else:
                climb.addresses(task, found, self.now)


def new_ladder(url: str = URL, seed: int = 1) -> Ladder:
    return Ladder(parse_target(url), dice=random.Random(seed))


def find(ladder: Ladder, world: World, *, within_s: float = 10.0) -> int | None:
    """What a client that asks again and again is sent to."""
    until = world.now + within_s
    while world.now < until:
        route = ladder.choose(0, world.now)
        if route is not None:
            return route
        world.carry(ladder, min(until, world.now + 0.05))
    return None


class Machine(RuleBasedStateMachine):
    """A client that uses the ladder, in a world that changes under it."""

    @initialize(seed=st.integers(0, 1000))
    def begin(self, seed: int) -> None:
        self.world = World()
        self.ladder = new_ladder(seed=seed)
        self.climbing_since: float | None = None
        self.route = 0

    @rule(host=st.sampled_from(HOSTS), port=st.sampled_from(PORTS), carrier=st.sampled_from(CARRIERS))
    def opens_or_shuts(self, host: str, port: int, carrier: str) -> None:
        self.world.open ^= {(host, port, carrier)}

    @rule(swallows=st.booleans(), rtt_s=st.sampled_from([0.01, 0.3, 2.0]))
    def blocks_otherwise(self, swallows: bool, rtt_s: float) -> None:
        self.world.swallows, self.world.rtt_s = swallows, rtt_s

    @rule(
        who=st.sampled_from(["httpdns", "resolver"]),
        says=st.none() | st.lists(st.sampled_from([*HOSTS, "192.0.2.1"]), max_size=2),
    )
    def names_lead_elsewhere(self, who: str, says: list[str] | None) -> None:
        self.world.names[who] = says

    @rule(
        points=st.none()
        | st.lists(
            st.builds(
                lambda scheme, host, port, load: Point(f"{scheme}://{host}:{port}", load),
                st.sampled_from(["tcp", "ws", "http", "carrier-pigeon"]),
                st.sampled_from(HOSTS), st.sampled_from([*PORTS, 0]), st.integers(0, 1000),
            ),
            min_size=1, max_size=12,
        )
    )  # fmt: skip
    def scheduler_says(self, points: list[Point] | None) -> None:
        self.world.points = points

    @rule(seconds=st.sampled_from([0.01, 0.5, 5.0, 60.0, 1000.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.carry(self.ladder, self.world.now + seconds)

    @rule()
    def a_client_looks_for_a_way(self) -> None:
        found = find(self.ladder, self.world, within_s=12.0)
        if found is None:
            return
        self.route = found
        assert found > 0, "the scheduler itself is nowhere to connect to"
        if self.world.is_open(self.ladder, found):
            self.ladder.worked(found, self.world.now)
        else:
            self.world.carry(self.ladder, self.world.now + 2.0)
            self.ladder.failed(found, self.world.now)

    @rule()
    def a_client_is_online(self) -> None:
        better = self.ladder.has_better(self.route, self.world.now)
        if better and self.route:
            found = self.ladder.choose(0, self.world.now)
            assert found is not None
            assert rank(self.ladder, found) < rank(self.ladder, self.route)

    @rule(name=st.sampled_from(["home", "work"]))
    def goes_elsewhere(self, name: str) -> None:
        self.ladder.on_network(name, self.world.now)

    @precondition(lambda self: not self.world.open)
    @rule()
    def nowhere_is_nowhere(self) -> None:
        self.ladder.on_network("nowhere", self.world.now)
        assert find(self.ladder, self.world, within_s=30.0) is None
        assert self.ladder.trouble.startswith("no way in: ")

    @invariant()
    def climbs_end(self) -> None:
        if hasattr(self, "ladder") and self.ladder.climb is not None:
            assert self.world.now <= self.ladder.climb.began + PATIENCE_S

    @invariant()
    def nobody_is_hammered(self) -> None:
        if not hasattr(self, "world"):
            return
        # In any second: what is begun at once, one for each stagger, and what takes the place of a failure.
        at, begun = self.world.now, self.world.begun
        recent = [each for each in begun if each > at - 1.0]
        assert len(recent) <= 64 + FIRST_AT_ONCE + 1.0 / STAGGER_S


def rank(ladder: Ladder, route: int) -> int:
    return CARRIERS.index(ladder.endpoints[route].carrier.name)


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


@pytest.mark.parametrize("swallows", [False, True])
@pytest.mark.parametrize("known_by", ["scheduler", "httpdns", "resolver", "built in"])
@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("port", PORTS)
def test_a_single_open_port_is_found_by_every_rung(
    port: int, carrier: str, known_by: str, swallows: bool
) -> None:
    world, ladder = World(), new_ladder()
    world.swallows = swallows
    host = "10.0.0.9" if known_by == "built in" else "10.0.0.1"
    world.open = {(host, port, carrier)}
    if known_by == "scheduler":
        scheme = "http" if carrier.endswith("poll") else carrier
        world.names["httpdns"] = ["10.0.0.7"]
        world.points = [Point(f"{scheme}://{host}:{each}", 0) for each in PORTS]
    elif known_by != "built in":
        world.names[known_by] = [host]
    began = world.now
    route = find(ladder, world)
    assert route is not None, ladder.trouble
    assert ladder.endpoints[route].label == f"{carrier}:{port}"
    assert world.now - began < 9.0


def test_what_worked_on_this_network_is_tried_first_and_on_another_forgotten() -> None:
    world, ladder = World(), new_ladder()
    world.open = {("10.0.0.9", 8080, "ws")}
    ladder.on_network("hotel", world.now)
    route = find(ladder, world)
    assert route is not None
    ladder.worked(route, world.now)
    ladder.on_network("home", world.now)
    ladder.on_network("hotel", world.now)
    world.begun.clear()
    began = world.now
    assert find(ladder, world) == route
    assert world.now - began < 0.2
    assert len(world.begun) == 1


def test_while_it_works_nobody_is_asked_again() -> None:
    world, ladder = World(), new_ladder()
    world.open = {("10.0.0.8", 14000, "tcp")}
    route = find(ladder, world)
    assert route is not None
    ladder.worked(route, world.now)
    asked = ladder.climbs
    for _ in range(50):
        assert ladder.choose(route, world.now) == route
        assert not ladder.has_better(route, world.now)
        world.carry(ladder, world.now + 1.0)
    assert ladder.climbs == asked


def test_looks_at_better_ways_become_rarer_while_they_are_in_vain() -> None:
    world, ladder = World(), new_ladder()
    world.open = {("10.0.0.8", 80, "longpoll")}
    route = find(ladder, world)
    assert route is not None
    looks, before = [], ladder.climbs
    for _ in range(4 * 3600):
        assert not ladder.has_better(route, world.now)
        if ladder.climbs > before:
            looks.append(world.now)
            before = ladder.climbs
        world.carry(ladder, world.now + 1.0)
    assert 10 <= len(looks) <= 40
    assert looks[-1] - looks[-2] > 400
    world.open.add(("10.0.0.8", 443, "tcp"))
    while not ladder.has_better(route, world.now):
        world.carry(ladder, world.now + 1.0)
    better = ladder.choose(route, world.now)
    assert better is not None
    assert ladder.endpoints[better].label == "tcp:443"


def test_of_equally_fast_points_none_gets_more_than_its_share() -> None:
    hosts = [f"10.0.0.{number}" for number in range(1, 4)]
    held: Counter[str] = Counter(dict.fromkeys(hosts, 0))
    held[hosts[0]] = 100
    for seed in range(200):
        world, ladder = World(), new_ladder(seed=seed)
        world.open = {(host, 14000, "tcp") for host in hosts}
        world.names["httpdns"] = ["10.0.0.7"]
        told = sorted(hosts, key=lambda host: held[host])
        world.points = [Point(f"tcp://{host}:14000", held[host]) for host in told]
        route = find(ladder, world)
        assert route is not None
        held[ladder.endpoints[route].host] += 1
    assert max(held.values()) <= 1.5 * sum(held.values()) / len(hosts)


def test_one_ladder_for_thousands_shares_them_out_by_itself() -> None:
    hosts = [f"10.0.0.{number}" for number in range(1, 9)]
    world, ladder = World(), new_ladder()
    world.open = {(host, 14000, "tcp") for host in hosts}
    world.names["httpdns"] = ["10.0.0.7"]
    world.points = [Point(f"tcp://{host}:14000", 0) for host in hosts]
    assert find(ladder, world) is not None
    held = Counter(ladder.choose(0, world.now) for _ in range(4000))
    assert len(held) == 8, "points that were named and not tried are left out"
    assert max(held.values()) <= 1.1 * 4000 / 8


def test_a_point_that_is_far_away_gets_nobody_however_idle() -> None:
    world, ladder = World(), new_ladder()
    world.open = {("10.0.0.1", 14000, "tcp"), ("10.0.0.2", 14000, "tcp")}
    world.names["httpdns"] = ["10.0.0.7"]
    world.points = [Point("tcp://10.0.0.2:14000", 0), Point("tcp://10.0.0.1:14000", 10_000)]
    near_s, far_s = 0.1, EQUALLY_FAST * 0.1 + EQUALLY_FAST_S + 0.01
    world._takes = lambda ladder, task: (  # type: ignore[method-assign]
        far_s if isinstance(task, Probe) and ladder.endpoints[task.route].host == "10.0.0.2" else near_s
    )
    route = find(ladder, world)
    assert route is not None
    assert ladder.endpoints[route].host == "10.0.0.1"
