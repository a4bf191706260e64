"""The timer wheel: nothing lost, nothing early within the horizon, nothing more than a tick late."""

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from reactor.wheel import Ticker, TimerWheel

TICK_S = 0.0625
"""A power of two, and so are all times here in 64ths: exact in floating point."""

in_64ths = st.integers(0, 64 * 60).map(lambda n: n / 64)


class Wheel(RuleBasedStateMachine):
    """Arms items and lets time pass, beside a plain list of what is armed."""

    @initialize(now=in_64ths, slots=st.integers(1, 40))
    def start(self, now: float, slots: int) -> None:
        self.now = now
        self.slots = slots
        self.wheel: TimerWheel[int] = TimerWheel(now, tick_s=TICK_S, slots=slots)
        self.armed: dict[int, tuple[float, float]] = {}
        self.count = 0

    @rule(due_in=st.integers(-8, 100).map(lambda n: n / 64))
    def arm(self, due_in: float) -> None:
        self.count += 1
        self.armed[self.count] = (self.now, self.now + due_in)
        self.wheel.arm(self.count, self.now + due_in)

    @rule(passed=(st.integers(0, 12) | st.integers(0, 400)).map(lambda n: n / 64))
    def let_time_pass(self, passed: float) -> None:
        self.now += passed
        came = self.wheel.advance(self.now)
        assert len(came) == len(set(came))
        for item in came:
            armed_at, due = self.armed.pop(item)
            horizon_s = (self.slots - 2) * TICK_S
            assert self.now > due or due > armed_at + horizon_s, "early, though within the horizon"

    @invariant()
    def nothing_overdue_is_still_in_the_wheel(self) -> None:
        if hasattr(self, "now"):
            came_by = self.now - TICK_S
            for armed_at, due in self.armed.values():
                assert max(due, armed_at) > came_by, "late by more than a tick"

    @rule(back=st.integers(0, 100).map(lambda n: n / 64))
    def step_back(self, back: float) -> None:
        assert self.wheel.advance(self.now - back) == []

    def teardown(self) -> None:
        if hasattr(self, "now"):
            rest = self.wheel.advance(self.now + (self.slots + 1) * TICK_S)
            assert Counter(rest) == Counter(self.armed.keys())


TestWheel = Wheel.TestCase


def test_a_long_stop_hands_everything_out_once_and_time_goes_on() -> None:
    wheel: TimerWheel[int] = TimerWheel(0.0, tick_s=1.0, slots=10)
    for item in range(30):
        wheel.arm(item, item / 4)
    assert sorted(wheel.advance(1e6)) == list(range(30))
    wheel.arm(1, 1e6 + 2.5)
    assert wheel.advance(1e6 + 2) == []
    assert wheel.advance(1e6 + 3) == [1]


@given(st.floats(0, 1e6), st.floats(0, 100), st.floats(0, 100), st.floats(0.001, 1))
def test_nothing_comes_early_whatever_the_rounding(
    now: float, due_in: float, passed: float, tick_s: float
) -> None:
    wheel: TimerWheel[str] = TimerWheel(now, tick_s=tick_s, slots=1 << 17)
    wheel.arm("item", now + due_in)
    if wheel.advance(now + passed):
        assert passed >= due_in


@given(st.lists(st.integers(0, 30), min_size=1), st.integers(0, 200))
def test_items_come_in_the_order_of_their_slots_however_long_nobody_looked(
    dues: list[int], start: int
) -> None:
    wheel: TimerWheel[int] = TimerWheel(float(start), tick_s=1.0, slots=40)
    for due in dues:
        wheel.arm(due, start + due)
    assert wheel.advance(start + 1013.0) == sorted(dues)


def test_an_item_beyond_the_horizon_comes_up_at_it_to_be_armed_again() -> None:
    wheel: TimerWheel[str] = TimerWheel(0.0, tick_s=1.0, slots=10)
    wheel.arm("far", 1000.0)
    assert wheel.advance(8.0) == []
    assert wheel.advance(9.0) == ["far"]


def test_a_clock_that_stands_or_steps_back_brings_nothing_up_and_loses_nothing() -> None:
    wheel: TimerWheel[str] = TimerWheel(100.0, tick_s=1.0, slots=10)
    wheel.arm("item", 103.0)
    assert wheel.advance(100.0) == wheel.advance(50.0) == []
    assert wheel.advance(104.0) == ["item"]


def test_a_ticker_ticks_until_it_is_stopped_from_within(
    until: Callable[[Callable[[], object]], None],
) -> None:
    ticks: list[int] = []
    after: list[int] = []

    def tick() -> None:
        ticks.append(1)
        if len(ticks) == 3:
            ticker.stop()

    ticker = Ticker(0.001, tick)
    witness = Ticker(0.002, lambda: after.append(len(ticks)))
    until(lambda: after.count(3) >= 5)
    witness.stop()
    assert len(ticks) == 3


@pytest.mark.parametrize("times", [1, 2])
def test_stopping_a_ticker_twice_is_no_error(times: int) -> None:
    ticker = Ticker(1000.0, lambda: None)
    for _ in range(times):
        ticker.stop()
