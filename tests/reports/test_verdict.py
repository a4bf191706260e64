"""The headline and the exit code say the same."""

from collections.abc import Sequence
from typing import Any

import pytest

from reports.telling import plain
from reports.verdict import headline

GOOD: dict[str, Any] = {"verdict": "pass", "acked": 10, "expected": 30}
LOST: dict[str, Any] = {"verdict": "fail", "lost": 2}
MISSED = [{"expression": "latency_ms.deliver.p99 < 5", "ok": False, "value": 7}]


def judged(verdict: str, completeness: dict[str, Any], thresholds: Sequence[Any] = ()) -> dict[str, Any]:
    """A summary with one check."""
    return {"verdict": verdict, "checks": {"completeness": completeness}, "thresholds": [*thresholds]}


@pytest.mark.parametrize(
    ("verdict", "completeness", "thresholds", "interrupted", "word", "code"),
    [
        ("pass", GOOD, [], False, "Pass", 0),
        ("fail", LOST, [], False, "Fail", 1),
        ("fail", LOST, MISSED, False, "Fail", 1),
        ("pass", GOOD, MISSED, False, "Threshold missed", 99),
        ("unknown", {"verdict": "unknown"}, [], False, "Unknown", 1),
        ("pass", GOOD, [], True, "Interrupted", 130),
        ("fail", LOST, [], True, "Interrupted", 130),
    ],
)
def test_the_word_is_the_exit_code(
    verdict: str, completeness: dict[str, Any], thresholds: list[Any], interrupted: bool, word: str, code: int
) -> None:
    told = headline(judged(verdict, completeness, thresholds), interrupted)
    assert (told.word, told.code) == (word, code)


def test_a_failure_says_how_many() -> None:
    told = headline(judged("fail", LOST), interrupted=False)
    assert plain(told.line) == "1 check failed: completeness (2 lost)."


def test_a_pass_without_messages_says_how_many_heartbeats() -> None:
    beats = {"due": 12, "sent": 11, "answered": 10, "late": 0, "missed": 1}
    told = headline(
        judged("pass", {"verdict": "pass", "expected": 0}) | {"heartbeats": beats}, interrupted=False
    )
    assert plain(told.line) == "All checks pass: 10 of 11 heartbeats were answered, 1 missed."


def test_a_pass_says_of_how_many() -> None:
    told = headline(judged("pass", GOOD), interrupted=False)
    assert "all 10 acknowledged messages" in plain(told.line)
    assert "30 expected deliveries" in plain(told.line)
