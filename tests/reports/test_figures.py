"""Numbers are said so that nobody misreads them."""

import pytest

from reports.figures import count, duration, exact, plural, second, share, size


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (exact(1_234_567), "1,234,567"),
        (count(2_000), "2,000"),
        (count(2_006.9), "2,007"),
        (count(12_400), "12.4 k"),
        (count(3_000_000), "3 M"),
        (duration(0.25), "250 µs"),
        (duration(0), "0 ms"),
        (duration(41.24), "41.2 ms"),
        (duration(1_900), "1.9 s"),
        (duration(180_000), "3 min"),
        (duration(float("nan")), "–"),
        (size(5_200), "5.2 KB"),
        (second(42.0), "42 s"),
        (second(-0.01), "0 s"),
        (second(-3), "−3 s"),
        (plural(1, "fault"), "1 fault"),
        (plural(2, "fault"), "2 faults"),
        (plural(0, "fault"), "no faults"),
    ],
)
def test_a_number_is_said_in_the_unit_that_fits(said: str, meant: str) -> None:
    assert said == meant


@pytest.mark.parametrize(
    ("part", "whole", "meant"),
    [
        (0, 10, "0 %"),
        (1, 1_000_000, "< 0.01 %"),
        (999_999, 1_000_000, "> 99.99 %"),
        (10, 10, "100 %"),
        (9_995, 10_000, "99.95 %"),
        (1, 0, "–"),
    ],
)
def test_one_of_a_million_is_neither_none_nor_all(part: int, whole: int, meant: str) -> None:
    assert share(part, whole) == meant
