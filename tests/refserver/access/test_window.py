"""The window of unacknowledged pushes as a machine: bounded, in order, each attempt at its time."""

import hypothesis.strategies as st
from hypothesis import given
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from protocol.limits import RETRANSMIT_ATTEMPTS, SLOW_READER_BYTES, SLOW_READER_FRAMES
from protocol.messages import Entry
from refserver.access.window import Window


def entry(version: int) -> Entry:
    return Entry(version, version, "a:b", version, "a", "text", b"", 0)


def test_attempts_come_after_2_4_8_and_16_seconds():
    window = Window()
    window.add(entry(1), 10, now=0.0)
    seen = {tick: [push.attempt for push in window.take_due(float(tick))] for tick in range(70)}
    assert {tick: attempts for tick, attempts in seen.items() if attempts} == {
        2: [2],
        6: [3],
        14: [4],
        30: [5],
    }
    assert len(window) == 0, "given up after the last"
    assert window.size_bytes == 0


@given(st.lists(st.integers(1, 300_000), max_size=30))
def test_the_bound_holds_for_any_sizes(sizes):
    window = Window()
    for version, size in enumerate(sizes):
        if window.has_room(size):
            window.add(entry(version), size, 0.0)
    assert window.size_bytes <= SLOW_READER_BYTES


class Windows(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.window = Window()
        self.model: dict[int, int] = {}
        self.now = 0.0
        self.version = 0

    @rule(size=st.integers(1, 5000), count=st.integers(1, 300))
    def push(self, size: int, count: int) -> None:
        for _ in range(count):
            self.version += 1
            if self.window.has_room(size):
                self.window.add(entry(self.version), size, self.now)
                self.model[self.version] = 1

    @rule(part=st.floats(0, 1.5))
    def acknowledge(self, part: float) -> None:
        up_to = int(self.version * part)
        self.window.acknowledge(up_to)
        self.model = {version: attempt for version, attempt in self.model.items() if version > up_to}

    @precondition(lambda self: self.model)
    @rule(seconds=st.floats(0.1, 40))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        versions = []
        for push in self.window.take_due(self.now):
            assert push.attempt == self.model[push.version] + 1
            assert push.attempt <= RETRANSMIT_ATTEMPTS
            self.model[push.version] = push.attempt
            versions.append(push.version)
        assert versions == sorted(versions)
        kept = {each.entry.version for each in self.window._pushes}
        assert all(self.model[version] == RETRANSMIT_ATTEMPTS for version in self.model.keys() - kept)
        self.model = {version: attempt for version, attempt in self.model.items() if version in kept}

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        assert [each.entry.version for each in self.window._pushes] == sorted(self.model)
        assert len(self.window) <= SLOW_READER_FRAMES
        assert self.window.size_bytes == sum(each.size_bytes for each in self.window._pushes)


TestWindows = Windows.TestCase
