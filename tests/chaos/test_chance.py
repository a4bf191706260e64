"""Chance that repeats itself."""

from hypothesis import given
from hypothesis import strategies as st

from chaos.chance import Chance


@given(st.text())
def test_the_same_key_draws_the_same(key: str) -> None:
    one, again, other = Chance(key), Chance(key), Chance(key + "x")
    drawn = [one.random() for _ in range(20)]
    assert drawn == [again.random() for _ in range(20)]
    assert drawn != [other.random() for _ in range(20)]


def test_draws_are_spread_evenly() -> None:
    tenths = [0] * 10
    chance = Chance("even")
    for _ in range(10_000):
        tenths[int(chance.random() * 10)] += 1
    assert all(850 < count < 1150 for count in tenths)


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_around_stays_within_its_spread(middle: float, spread: float) -> None:
    assert middle - spread <= Chance("k").around(middle, spread) <= middle + spread
