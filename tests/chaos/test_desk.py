"""Faults that somebody switches on and off by hand, beside those of a plan."""

import time
from dataclasses import replace
from typing import Any

import gevent
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, rule

from chaos.control import ProxyState, ToxiproxyControl
from chaos.desk import FaultDesk, Stand
from chaos.errors import ChaosError, FaultsFailed, ToxiproxyError
from chaos.levers import Levers
from chaos.plan import parse_fault

S = 10**9


class Path(ToxiproxyControl):
    """A proxy `path` that remembers what toxics it has. `room`: for how many there is any; `broken`: what it
    refuses to do."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1")
        self.toxics: list[str] = []
        self.room = 99
        self.broken = ""

    def proxies(self) -> dict[str, ProxyState]:
        return {"path": ProxyState("path", "", "", True, tuple(self.toxics))}

    def add_toxic(self, proxy: str, kind: str, *, name: str, **_: object) -> str:  # type: ignore[override]
        self._work("add")
        if len(self.toxics) == self.room:
            raise ToxiproxyError("no room", 500)
        self.toxics.append(name)
        return name

    def toxic(self, proxy: str, name: str) -> dict[str, Any]:
        return {}

    def remove_toxic(self, proxy: str, name: str) -> None:
        self._work("remove")
        if name not in self.toxics:
            raise ToxiproxyError("not there", 404)
        self.toxics.remove(name)

    def _work(self, what: str) -> None:
        gevent.sleep(0)
        if self.broken == what:
            raise ToxiproxyError(f"cannot {what}", 500)


class Swarm:
    """Counts how often it was cut."""

    cuts = 0

    def cut(self, share: float) -> None:
        self.cuts += 1


@pytest.fixture
def path() -> Path:
    return Path()


@pytest.fixture
def desk(path: Path) -> FaultDesk:
    """Open, with a fault of a plan that begins in an hour."""
    levers: Any = Levers(proxies=path, swarm=Swarm())  # type: ignore[arg-type]
    desk = FaultDesk([parse_fault("timeout at 3600s")], levers)
    desk.start(time.monotonic())
    return desk


def stands(desk: FaultDesk) -> list[str]:
    return [str(each.stand) for each in desk.standing()]


def switched_on(desk: FaultDesk, fault: str) -> int:
    number = desk.add(parse_fault(fault))
    desk._greenlets[number].join()
    return number


def test_of_two_that_overlap_the_one_that_is_switched_off_ends(desk: FaultDesk, path: Path) -> None:
    first, second = switched_on(desk, "latency=5ms"), switched_on(desk, "latency=9ms stream upstream")
    assert stands(desk) == ["waiting", "on", "on"]
    assert len(path.toxics) == 3
    desk.end(first)
    assert stands(desk) == ["waiting", "over", "on"]
    assert [name.rpartition("-")[2] for name in path.toxics] == ["upstream"]
    desk.end(second)
    assert path.toxics == []


def test_switching_off_twice_is_as_good_as_once(desk: FaultDesk) -> None:
    number = switched_on(desk, "latency=5ms")
    desk.end(number)
    before = desk.standing()[number]
    assert before.stand is Stand.OVER
    desk.end(number)
    assert desk.standing()[number] == before
    assert len(desk.records) == 1


def test_what_is_switched_off_before_its_time_never_begins(desk: FaultDesk, path: Path) -> None:
    later = desk.add(parse_fault("latency=5ms at 3600s"))
    for number in (0, later):
        assert desk.standing()[number].stand is Stand.WAITING
        desk.end(number)
    assert stands(desk) == ["over", "over"]
    assert (desk.records, path.toxics, desk.added()) == ([], [], [])


@pytest.mark.parametrize("number", [-1, 1, 99])
def test_nobody_has_a_number_that_was_not_given_out(desk: FaultDesk, number: int) -> None:
    with pytest.raises(ChaosError, match=f"no fault number {number}"):
        desk.end(number)


def test_a_fault_that_fails_to_begin_says_so_and_spoils_nothing_else(desk: FaultDesk, path: Path) -> None:
    good = switched_on(desk, "latency=5ms")
    bad = switched_on(desk, "latency=5ms on nowhere")
    assert stands(desk) == ["waiting", "on", "over"]
    assert desk.standing()[bad].error.startswith("no proxy 'nowhere'")
    assert [spec.target for spec in desk.added()] == ["*"], "what never was on is not repeated"
    desk.end(bad)
    desk.end(good)
    desk.heal_all()
    assert path.toxics == []


def test_a_fault_of_the_plan_that_fails_to_begin_fails_the_run(path: Path) -> None:
    desk = FaultDesk([parse_fault("latency=5ms on nowhere")], Levers(proxies=path))
    desk.start(time.monotonic())
    desk._greenlets[0].join()
    assert stands(desk) == ["over"]
    with pytest.raises(FaultsFailed, match="nowhere"):
        desk.heal_all()


def test_what_cannot_be_healed_is_told_and_can_be_tried_again(desk: FaultDesk, path: Path) -> None:
    number = switched_on(desk, "latency=5ms stream upstream")
    path.broken = "remove"
    with pytest.raises(ChaosError, match="cannot remove"):
        desk.end(number)
    assert stands(desk) == ["waiting", "on"]
    path.broken = ""
    desk.end(number)
    assert path.toxics == []


def test_what_is_on_in_part_and_cannot_be_taken_back_fails_the_run(desk: FaultDesk, path: Path) -> None:
    path.room, path.broken = 1, "remove"
    number = switched_on(desk, "latency=5ms")
    assert desk.standing()[number].stand is Stand.ON
    with pytest.raises(FaultsFailed, match="cannot remove"):
        desk.heal_all()
    path.broken = ""
    desk.heal_all()
    assert path.toxics == []


def test_what_is_out_of_reach_is_refused_at_once(desk: FaultDesk) -> None:
    assert desk.levers() == ["proxies", "swarm"]
    with pytest.raises(ChaosError, match="kill needs a server that the run has started"):
        desk.add(parse_fault("kill on server"))
    assert len(desk.standing()) == 1


def test_nothing_is_added_before_the_load_or_after_its_end(path: Path) -> None:
    desk = FaultDesk([], Levers(proxies=path))
    for _ in ("before", "after"):
        with pytest.raises(ChaosError, match="no load is under way"):
            desk.add(parse_fault("latency=5ms"))
        desk.start(time.monotonic())
        desk.heal_all()


def test_what_was_added_is_a_plan_that_does_it_again(desk: FaultDesk) -> None:
    number = switched_on(desk, "latency=5ms on path stream upstream")
    desk.end(number)
    cut = switched_on(desk, "cut=20%")
    on = switched_on(desk, "bandwidth=1MB/s")
    begun = desk.records[0].start_ns
    desk.records[:] = [
        replace(record, start_ns=begun + at, end_ns=end and begun + end)
        for record, at, end in zip(desk.records, (0, 4 * S, 5 * S), (1_234_000_000, 4 * S, None), strict=True)
    ]
    assert (cut, on) == (2, 3)
    told = [spec.as_text() for spec in desk.added(begun - 2 * S)]
    assert told == [
        "latency=5ms at 2s for 1.23s on path stream upstream", "cut=20% at 6s", "bandwidth=1MB/s at 7s",
    ]  # fmt: skip
    assert [parse_fault(text).as_text() for text in told] == told
    assert [spec.as_text() for spec in desk.added(begun + S)] == [
        "latency=5ms at 0s for 0.23s on path stream upstream", "cut=20% at 3s", "bandwidth=1MB/s at 4s",
    ]  # fmt: skip
    assert [spec.name for spec in desk.added(begun + 5 * S)] == ["bandwidth"]
    desk.heal_all()


class People(RuleBasedStateMachine):
    """Whatever people switch on, off and on again: on the path is what is said to be on."""

    numbers = Bundle("numbers")

    def __init__(self) -> None:
        super().__init__()
        self.path = Path()
        self.desk = FaultDesk([], Levers(proxies=self.path))
        self.desk.start(time.monotonic())

    @rule(target=numbers, stream=st.sampled_from(["upstream", "downstream"]), ends=st.booleans())
    def add(self, stream: str, ends: bool) -> int:
        lasts = " for 0s" if ends else ""
        return self.desk.add(parse_fault(f"latency=5ms stream {stream}{lasts}"))

    @rule(number=numbers)
    def end(self, number: int) -> None:
        self.desk.end(number)
        assert self.desk.standing()[number].stand is Stand.OVER

    @rule(number=consumes(numbers))
    def end_at_once_with_another(self, number: int) -> None:
        gevent.joinall([gevent.spawn(self.desk.end, number) for _ in range(2)], raise_error=True)

    @rule()
    def everything_has_begun(self) -> None:
        gevent.joinall(self.desk._greenlets)
        on = [one for one in self.desk.standing() if one.stand is Stand.ON]
        assert len(self.path.toxics) == len(self.desk.active()) == len(on)

    def teardown(self) -> None:
        self.desk.heal_all()
        assert self.path.toxics == []
        assert all(one.stand is Stand.OVER for one in self.desk.standing())
        assert all(record.end_ns is not None for record in self.desk.records)


TestPeople = People.TestCase
TestPeople.settings = settings(max_examples=25, stateful_step_count=15, deadline=None)
