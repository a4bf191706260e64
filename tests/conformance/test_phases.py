"""The phases of a fault plan as cases meet them."""

import time
from itertools import islice

import pytest

from chaos.fault_plan import FaultPlan, Phase, load_fault_plan
from conformance.phases import spells
from conformance.weather import Weather

PLAN = FaultPlan(
    name="some",
    about="two phases",
    phase=[
        Phase(name="calm", duration="4s"),
        Phase(name="broken", duration="6s", faults=["loss=5%", "cut=30% at 1s"]),
    ],
)


def test_phases_follow_each_other_for_ever() -> None:
    found = [(each.phase.name, each.begin, each.end) for each in islice(spells(PLAN, 100.0, 101.0), 3)]
    assert found == [("broken", 104.0, 110.0), ("calm", 110.0, 114.0), ("broken", 114.0, 120.0)]


def test_a_plan_that_does_not_repeat_is_over() -> None:
    once = FaultPlan(name="some", about="once", phase=PLAN.phase, repeat=False)
    assert [each.phase.name for each in spells(once, 100.0, 0.0)] == ["calm", "broken"]
    assert not list(spells(once, 100.0, 105.0))


def test_a_phase_knows_its_faults_and_its_time() -> None:
    calm, broken = islice(spells(PLAN, 100.0, 100.0), 2)
    assert broken.has("cut")
    assert not calm.has("cut")
    assert (calm.broken_from, broken.broken_from) == (100.0, 105.0)
    assert 104.0 in broken
    assert 110.0 not in broken


def test_a_round_has_each_phase_once() -> None:
    weather = Weather(load_fault_plan("subway"), 1, None, lambda process: pytest.fail("none was wanted"))
    weather._began = time.monotonic() - 7.0
    names = [each.phase.name for each in weather.coming_round()]
    assert names == ["in the tunnel", "half the train", "at a station", "on the way"]


def test_clients_come_from_the_addresses_that_faults_choose_among() -> None:
    lever = lambda process: pytest.fail("none was wanted")  # noqa: E731
    apart = Weather(load_fault_plan("subway"), 1, None, lever, ("127.0.0.2", "127.0.0.3"))
    assert [apart.source() for _ in range(3)] == ["127.0.0.2", "127.0.0.3", "127.0.0.2"]
    assert Weather(load_fault_plan("subway"), 1, None, lever).source() is None
