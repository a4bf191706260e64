"""Faults come and go at their times, and nothing stays broken, whatever happens."""

import socket
import time
from collections.abc import Callable, Iterator

import gevent
import pytest
from gevent.event import Event

from chaos.control import ProxyState, ToxiproxyControl
from chaos.errors import FaultsFailed, ToxiproxyError
from chaos.levers import Levers
from chaos.plan import FaultSpec, parse_fault
from chaos.schedule import FaultRecord, FaultSchedule
from tests.chaos.conftest import PATIENCE_S, Line


class Watched(FaultSchedule):
    """A schedule whose changes can be waited for."""

    def __init__(self, specs: list[FaultSpec], control: ToxiproxyControl) -> None:
        super().__init__(specs, Levers(proxies=control), self._note)
        self.seen: list[FaultRecord] = []
        self._changed = Event()

    def _note(self, record: FaultRecord) -> None:
        self.seen.append(record)
        self._changed.set()

    def until(self, wanted: Callable[[FaultRecord], bool]) -> FaultRecord:
        with gevent.Timeout(PATIENCE_S):
            while True:
                for record in self.seen:
                    if wanted(record):
                        return record
                self._changed.clear()
                self._changed.wait()

    def begun(self, name: str) -> FaultRecord:
        return self.until(lambda record: record.name == name)

    def ended(self, name: str) -> FaultRecord:
        return self.until(lambda record: record.name == name and record.end_ns is not None)


Make = Callable[..., Watched]


@pytest.fixture
def make(line: Line) -> Iterator[Make]:
    """A schedule of faults written as text, on the line's proxy, started now."""
    made: list[Watched] = []

    def start(*faults: str, control: ToxiproxyControl | None = None) -> Watched:
        specs = [parse_fault(f"{fault} on {line.proxy}") for fault in faults]
        schedule = Watched(specs, control or line.control)
        made.append(schedule)
        schedule.start(time.monotonic())
        return schedule

    yield start
    for schedule in made:
        schedule.heal_all()


def _toxics(line: Line) -> tuple[str, ...]:
    return line.control.proxies()[line.proxy].toxics


def test_a_fault_ends_by_itself_and_is_recorded(line: Line, make: Make) -> None:
    started_ns = time.monotonic_ns()
    schedule = make("latency=5ms for 50ms")
    schedule.begun("latency")
    assert len(_toxics(line)) == 2, "both directions"
    record = schedule.ended("latency")
    assert _toxics(line) == ()
    assert schedule.records == [record]
    assert record.end_ns is not None
    assert started_ns <= record.start_ns < record.end_ns
    assert record.end_ns - started_ns >= 50_000_000, "never early"
    assert record.detail["summary"] == f"latency 5ms on {line.proxy}"
    assert record.detail["attributes"] == {"latency": 5, "jitter": 0}


def test_faults_of_the_same_kind_overlap(line: Line, make: Make) -> None:
    schedule = make("latency=5ms", "latency=7ms", "bandwidth=50KB/s")
    schedule.until(lambda record: len(schedule.seen) == 3)
    assert len(_toxics(line)) == 6
    assert sorted(schedule.active()) == sorted(record.detail["summary"] for record in schedule.records)
    schedule.heal_all()
    assert _toxics(line) == ()
    assert schedule.active() == []
    assert all(record.end_ns for record in schedule.records)
    schedule.heal_all()


def test_nothing_begins_after_everything_was_healed(line: Line, make: Make) -> None:
    schedule = make("latency=5ms at 50ms")
    schedule.heal_all()
    gevent.sleep(0.1)
    assert schedule.records == []
    assert _toxics(line) == ()


def test_a_port_stays_blocked_until_the_last_block_is_healed(line: Line, make: Make) -> None:
    client, _ = line.connect()
    short, long = make("block"), make("block")
    short.begun("block")
    long.begun("block")
    assert client.recv(1) == b""
    short.heal_all()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(line.address, timeout=PATIENCE_S)
    long.heal_all()
    line.connect()


def test_a_reset_closes_every_connection_and_lets_them_come_back(line: Line, make: Make) -> None:
    client, _ = line.connect()
    record = make("reset").ended("reset")
    assert client.recv(1) == b""
    line.connect()
    assert record.detail["proxies"] == [line.proxy]


def test_a_reset_does_not_open_a_blocked_port(line: Line, make: Make) -> None:
    make("block").begun("block")
    make("reset").ended("reset")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(line.address, timeout=PATIENCE_S)


def test_what_frame_loss_dropped_is_in_its_record(line: Line, make: Make) -> None:
    schedule = make("frame_loss=100% stream upstream")
    schedule.begun("frame_loss")
    client, server = line.connect()
    client.sendall(b"\xc7\x03\0\0\0\0\0\0" * 9)
    server.sendall(b"!")
    assert client.recv(1) == b"!"
    client.shutdown(socket.SHUT_WR)
    assert server.recv(1) == b""
    schedule.heal_all()
    assert schedule.records[0].detail["counts"] == {"frames": 9, "dropped": 9}


def test_a_target_that_does_not_exist_is_recorded_and_raised_once(line: Line) -> None:
    schedule = Watched([parse_fault("latency=5ms on nowhere"), parse_fault("reset_peer")], line.control)
    schedule.start(time.monotonic())
    assert "no proxy 'nowhere'" in schedule.ended("latency").detail["error"]
    schedule.begun("reset_peer")
    with pytest.raises(FaultsFailed, match=f"no proxy 'nowhere' at {line.control.url}; there are "):
        schedule.heal_all()
    assert _toxics(line) == (), "the others were healed all the same"
    schedule.heal_all()
    assert len(schedule.failures) == 1


def test_toxics_that_somebody_else_removed_are_as_good_as_healed(line: Line, make: Make) -> None:
    schedule = make("latency=5ms")
    schedule.begun("latency")
    line.control.reset()
    schedule.heal_all()
    assert schedule.failures == []


class Halting(ToxiproxyControl):
    """Fails at the second toxic, and at as many removals as asked for."""

    def __init__(self, real: ToxiproxyControl, failing_removals: int = 0) -> None:
        super().__init__(real.url)
        self._left = 1
        self._failing_removals = failing_removals

    def add_toxic(self, *args: object, **keywords: object) -> str:
        if not self._left:
            raise ToxiproxyError("the second is too much", 500)
        self._left -= 1
        return super().add_toxic(*args, **keywords)  # type: ignore[arg-type]

    def remove_toxic(self, proxy: str, name: str) -> None:
        if self._failing_removals:
            self._failing_removals -= 1
            raise ToxiproxyError("not now", 500)
        super().remove_toxic(proxy, name)


def test_a_fault_that_is_on_in_part_is_taken_back(line: Line) -> None:
    schedule = Watched([parse_fault(f"latency=5ms on {line.proxy}")], Halting(line.control))
    schedule.start(time.monotonic())
    assert schedule.ended("latency").detail["error"] == "the second is too much"
    assert _toxics(line) == ()
    with pytest.raises(FaultsFailed, match="the second is too much"):
        schedule.heal_all()


class Slow(ToxiproxyControl):
    """Takes a while over each toxic, and lets other greenlets go on meanwhile."""

    def add_toxic(self, *args: object, **keywords: object) -> str:
        gevent.sleep(0.05)
        return super().add_toxic(*args, **keywords)  # type: ignore[arg-type]


def test_a_fault_that_is_being_applied_is_healed_when_it_has_been(line: Line, make: Make) -> None:
    schedule = make("latency=5ms", control=Slow(line.control.url))
    while not schedule.records:
        gevent.sleep(0)
    schedule.heal_all()
    (record,) = schedule.records
    assert record.detail["streams"] == ["upstream", "downstream"], "no call was cut short"
    assert record.end_ns is not None
    assert _toxics(line) == ()


def test_healing_that_failed_is_raised_and_tried_again(line: Line) -> None:
    control = Halting(line.control, failing_removals=1)
    schedule = Watched([parse_fault(f"latency=5ms on {line.proxy} stream upstream")], control)
    schedule.start(time.monotonic())
    schedule.begun("latency")
    with pytest.raises(FaultsFailed, match="not now"):
        schedule.heal_all()
    assert schedule.active()
    schedule.heal_all()
    assert not schedule.active()
    assert _toxics(line) == ()


def test_every_proxy_is_meant_by_a_star(line: Line) -> None:
    states: dict[str, ProxyState] = line.control.proxies()
    schedule = Watched([parse_fault("bandwidth=1MB/s stream upstream")], line.control)
    schedule.start(time.monotonic())
    schedule.begun("bandwidth")
    assert all(state.toxics for state in line.control.proxies().values())
    assert states.keys() == line.control.proxies().keys()
    schedule.heal_all()
    assert not any(state.toxics for state in line.control.proxies().values())
