"""A hundred thousand inputs into every registered parser, or what fits its time; `make fuzz`: a million."""

import multiprocessing
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from random import Random

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import fuzzing

INPUTS = 100_000
BUDGET_S = 16.0
"""Of the processor, for each; a machine with two of them to spare is done in less than 20 s."""
PROCESSES = 2


@pytest.fixture(scope="module")
def outcomes() -> Iterator[dict[str, "Future[fuzzing.Outcome]"]]:
    """All targets side by side, each in a process of its own."""
    with ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn")) as pool:
        names = fuzzing.targets()
        yield {name: pool.submit(fuzzing.run, name, INPUTS, budget_s=BUDGET_S) for name in names}


@pytest.mark.parametrize("name", fuzzing.targets())
def test_no_input_breaks(name, outcomes):
    outcome = outcomes[name].result()
    print(outcome)
    assert not outcome.crashes, "\n".join(map(str, outcome.crashes))


class Fragile:
    """Breaks when the first byte is odd."""

    def __init__(self, chance: Random) -> None:
        self.closed = False

    def next_input(self, chance: Random) -> bytes:
        return fuzzing.damaged(b"some bytes", chance, b"others")

    def feed(self, data: bytes, chance: Random) -> None:
        if data and data[0] % 2:
            raise KeyError(data[0])

    def close(self) -> None:
        self.closed = True


def test_what_breaks_is_told_with_its_input_and_comes_again(monkeypatch):
    monkeypatch.setitem(fuzzing._registered, "fragile", Fragile)
    first, again = (fuzzing.run("fragile", 1000, seed=7, max_crashes=5) for _ in range(2))
    assert len(first.crashes) == 5
    assert all(crash.data[0] % 2 for crash in first.crashes)
    assert "KeyError" in str(first.crashes[0])
    assert first.crashes == again.crashes
    assert first.inputs == first.crashes[-1].number + 1
    assert first.peak_bytes > 1 << 20


def test_every_module_beside_registers_a_target():
    modules = {each.stem for each in (Path(__file__).parent / "fuzz_targets").glob("*.py")} - {"__init__"}
    assert len(fuzzing.targets()) >= len(modules)
