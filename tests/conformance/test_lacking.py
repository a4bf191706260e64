"""What a server turned out not to have is not asked of it, and the reason is told."""

import pytest

from conformance.target import TAKEN_FOR_GRANTED, Target


def _target(*without: str) -> Target:
    return Target(["mqtt://127.0.0.1:1"], without=without)


def test_what_nobody_says_is_missing_is_there() -> None:
    target = _target()
    assert [target.lacks(name) for name in sorted(TAKEN_FOR_GRANTED)] == [None] * len(TAKEN_FOR_GRANTED)


@pytest.mark.parametrize(
    ("without", "told"),
    [
        ("groups=there is no group chat: ?rooms=DOMAIN", "there is no group chat: ?rooms=DOMAIN"),
        ("groups", "the target does not offer groups (--without groups)"),
    ],
)
def test_what_is_missing_is_told_with_the_reason_also_after_it_was_handed_on(without: str, told: str) -> None:
    target = _target(without)
    assert target.lacks("groups") == told
    assert _target(*target.without).lacks("groups") == told
    assert target.lacks("offline") is None
