"""Alarms: in order, never early, and none after close."""

import time
from collections.abc import Callable, Iterator

import gevent
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reactor.alarms import Alarms

Until = Callable[[Callable[[], object]], None]


@pytest.fixture
def alarms() -> Iterator[Alarms]:
    alarms = Alarms()
    yield alarms
    alarms.close()


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(delays=st.lists(st.integers(-5, 10), max_size=20))
def test_alarms_ring_in_the_order_of_their_times_and_equal_ones_as_asked(
    delays: list[int], until: Until
) -> None:
    alarms = Alarms()
    rang: list[tuple[int, int]] = []
    start = time.monotonic()
    for index, delay in enumerate(delays):
        alarms.at(start + delay / 1000, lambda each=(delay, index): rang.append(each))  # type: ignore[misc]
    until(lambda: len(rang) == len(delays))
    alarms.close()
    assert rang == sorted(rang)


def test_an_alarm_never_rings_early(alarms: Alarms, until: Until) -> None:
    rang: list[float] = []
    dues = [time.monotonic() + n / 2000 for n in range(40)]
    for due in dues:
        alarms.at(due, lambda due=due: rang.append(time.monotonic() - due))  # type: ignore[misc]
    until(lambda: len(rang) == 40)
    assert min(rang) >= 0


def test_an_earlier_alarm_overtakes_the_one_that_is_armed(alarms: Alarms, until: Until) -> None:
    rang: list[str] = []
    alarms.at(time.monotonic() + 3600, lambda: rang.append("later"))
    alarms.at(time.monotonic(), lambda: rang.append("now"))
    until(lambda: rang)
    assert rang == ["now"]


def test_a_callback_that_keeps_asking_for_now_does_not_hold_the_hub(alarms: Alarms) -> None:
    rounds: list[int] = []

    def again() -> None:
        rounds.append(1)
        alarms.at(time.monotonic(), again)

    alarms.at(time.monotonic(), again)
    with gevent.Timeout(60):
        while len(rounds) < 50:
            gevent.sleep(0)


def test_a_callback_that_fails_does_not_silence_the_others(
    alarms: Alarms, until: Until, capsys: pytest.CaptureFixture[str]
) -> None:
    rang: list[int] = []
    now = time.monotonic()
    alarms.at(now, lambda: rang.append(1))
    alarms.at(now, lambda: rang.append(1 // 0))
    alarms.at(now, lambda: rang.append(3))
    until(lambda: len(rang) == 2)
    assert rang == [1, 3]


def test_nothing_rings_after_close_not_even_what_was_due_together(alarms: Alarms, until: Until) -> None:
    rang: list[str] = []
    now = time.monotonic()

    def close() -> None:
        rang.append("first")
        alarms.close()

    alarms.at(now, close)
    alarms.at(now, lambda: rang.append("second"))
    alarms.at(now + 0.001, lambda: rang.append("third"))
    witness = Alarms()
    witness.at(now + 0.01, lambda: rang.append("witness"))
    until(lambda: "witness" in rang)
    witness.close()
    assert rang == ["first", "witness"]
