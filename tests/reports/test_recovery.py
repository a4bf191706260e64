"""Recovery is counted from the end of a fault to the moment when all is as before."""

from collections.abc import Callable
from typing import Any

import pytest

from ledger.run_folder import Fault
from reports.evidence import Evidence
from reports.recovery import Recovery, reach, recoveries

S = 1_000_000_000
Tell = Callable[..., Evidence]
Message = Callable[..., list[dict[str, Any]]]


def steady(message: Message, slow: dict[int, float]) -> list[dict[str, Any]]:
    """A message every second for nine seconds, 10 ms each but for those that are slow."""
    return [row for n in range(1, 10) for row in message(n, n - 0.9, slow.get(n, 0.01))]


def test_the_backlog_is_empty_when_the_last_late_message_is_there(tell: Tell, message: Message) -> None:
    faults = [Fault("loss", "", 104 * S, 106 * S)]
    (found,) = recoveries(tell(steady(message, {6: 2.6}), faults))
    assert found.backlog_s == pytest.approx(1.75)


def test_after_a_fault_without_length_the_backlog_has_to_grow_before_it_is_gone(
    tell: Tell, message: Message
) -> None:
    faults = [Fault("cut", "", 105 * S, 105 * S)]
    (found,) = recoveries(tell(steady(message, {7: 2.6}), faults))
    assert found.backlog_s == pytest.approx(3.75), "sent a second after the cut, and there 2.6 s later"


def test_p99_is_back_in_the_first_second_that_is_planned_and_quick(tell: Tell, message: Message) -> None:
    faults = [Fault("slow", "", 104 * S, 106 * S)]
    (found,) = recoveries(tell(steady(message, {5: 0.5, 6: 0.5, 7: 0.5}), faults))
    assert found.p99_s == pytest.approx(1.0)


def test_a_fault_that_runs_into_the_next_has_not_recovered(tell: Tell, message: Message) -> None:
    faults = [Fault("loss", "", 104 * S, 106 * S), Fault("slow", "", 107 * S, 108 * S)]
    first, _ = recoveries(tell(steady(message, {6: 2.6}), faults))
    assert first.backlog_s is None


def test_without_messages_nothing_is_claimed(tell: Tell) -> None:
    assert recoveries(tell([], [Fault("loss", "", 104 * S, 106 * S)])) == [Recovery(None, None)]


def test_a_fault_without_length_answers_until_the_next_begins(tell: Tell) -> None:
    bands = tell([], [Fault("reset", "", 104 * S, 104 * S), Fault("loss", "", 107 * S, 109 * S)]).bands
    assert reach(bands[0], 0, bands) == (4.0, 7.0)
    assert reach(bands[1], 1, bands) == (7.0, 9.0)
