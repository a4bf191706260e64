"""How many are there when, for every shape."""

import pkgutil
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios import shapes
from scenarios.shapes import new_shape
from scenarios.shapes.base import PlannedShape

SHAPES = [module.name for module in pkgutil.iter_modules(shapes.__path__) if module.name != "base"]
COHORTS, RAMP_S, DURATION_S = 100, 10.0, 90.0


def users(name: str, at: float, *, cohorts: int = COHORTS) -> int:
    return tick_of(new_shape(name, cohorts, RAMP_S, DURATION_S), at)


def tick_of(shape: PlannedShape, at: float) -> int:
    shape.get_run_time = lambda: at
    tick = shape.tick()
    assert tick is not None
    count, rate = tick
    assert rate > 0
    return count


@pytest.mark.parametrize(
    ("name", "levels"),
    [
        ("ramp", {0: 10, 4: 50, 9: 100, 10: 100, 89: 100}),
        ("soak", {0: 10, 4: 50, 9: 100, 89: 100}),
        ("spike", {0: 20, 29: 20, 30: 100, 59: 100, 60: 20, 89: 20}),
        ("steps", {0: 20, 17: 20, 18: 40, 36: 60, 54: 80, 72: 100, 89: 100}),
    ],
)
def test_the_levels_of_a_shape(name: str, levels: dict[int, int]) -> None:
    assert {at: users(name, at) for at in levels} == levels


def test_a_soak_takes_a_tenth_of_its_time_to_begin() -> None:
    shape = new_shape("soak", COHORTS, 1.0, 3600.0)
    assert [tick_of(shape, at) for at in (0, 179, 359, 3000)] == [1, 50, 100, 100]


@pytest.mark.parametrize("name", SHAPES)
@given(at=st.floats(0, 200), cohorts=st.integers(1, 500))
def test_there_is_somebody_and_never_more_than_the_peak(name: str, at: float, cohorts: int) -> None:
    assert 1 <= users(name, at, cohorts=cohorts) <= cohorts


@pytest.mark.parametrize("name", SHAPES)
def test_the_peak_is_reached(name: str) -> None:
    assert max(users(name, at) for at in range(90)) == COHORTS


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_of_a_plan_ends_when_the_plan_does(name: str) -> None:
    assert users(name, 1e6) == users(name, DURATION_S - 0.001)


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_on_its_own_takes_locusts_numbers_and_ends_the_run(name: str) -> None:
    shape = type(new_shape(name, 1, 1.0, 1.0))()
    options = SimpleNamespace(num_users=40, spawn_rate=4.0, run_time=60)
    shape.runner = SimpleNamespace(environment=SimpleNamespace(parsed_options=options))
    assert shape.numbers() == (40, 10.0, 60.0)
    assert max(tick_of(shape, at) for at in range(60)) == 40
    shape.get_run_time = lambda: 60.0
    assert shape.tick() is None


@pytest.mark.parametrize("name", SHAPES)
def test_locust_finds_the_shape_in_its_file(name: str) -> None:
    module = __import__(f"scenarios.shapes.{name}", fromlist=["*"])
    found = [kind for kind in vars(module).values()
             if isinstance(kind, type) and issubclass(kind, PlannedShape) and not kind.abstract]  # fmt: skip
    assert len(found) == 1
    assert found[0].__doc__


def test_an_unknown_shape_is_not_there() -> None:
    with pytest.raises(ModuleNotFoundError):
        new_shape("cliff", 1, 1.0, 1.0)
