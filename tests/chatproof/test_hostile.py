"""Hostile clients as a command: a sound server lives through it, and one without bounds is caught."""

import json
from pathlib import Path

import pytest
from command_line import chatproof, one_line

from conformance.hostile.attack import UnknownAttack, matching
from conformance.hostile.siege import FLOOR_S, Felt, judge_latency


def test_attacks_are_found_by_their_files_and_named_as_they_are() -> None:
    names = {attack.name for attack in matching("*")}
    assert {"idle connections", "slow loris", "compressed bombs", "flood", "half frames"} <= names
    assert {"tiny frames", "oversized", "slow readers"} <= names
    assert [attack.name for attack in matching("half_*")] == ["half frames"]
    with pytest.raises(UnknownAttack, match="there are: compressed bombs, "):
        matching("nothing like it")


def test_what_an_attack_cost_is_told(tmp_path: Path) -> None:
    ended = chatproof("hostile", "--only", "wrong tokens", "--json", "told.json", cwd=tmp_path)
    (told,) = json.loads((tmp_path / "told.json").read_text())["attacks"]
    assert ended.code in (0, 1, 3), ended.err
    assert ended.left == ()
    # How quick others were is this machine's word; that they were served, and that memory is bounded, is not.
    assert told["grown_bytes"] <= told["limit_bytes"]
    assert told["ended"] == told["connections"]
    assert told["others_before"]["messages"]
    assert told["others_during"]["messages"]
    assert not [why for why in told["why"] if "p99" not in why]
    assert "4,000 logins with forged tokens" in ended.out


def test_a_server_that_keeps_what_strangers_send_grows_beyond_what_it_may(tmp_path: Path) -> None:
    ended = chatproof(
        "hostile", "--only", "half frames", "--mutant", "anything_kept_before_a_login", cwd=tmp_path
    )
    assert (ended.code, ended.left) == (1, ()), ended.out
    assert "memory grew by" in ended.out


def test_a_pattern_like_no_attack_is_told_in_a_line(tmp_path: Path) -> None:
    ended = chatproof("hostile", "--only", "politeness", cwd=tmp_path)
    assert (ended.code, *one_line(ended)) == (2,)


def felt(p99_s: float) -> Felt:
    return Felt.of([p99_s / 10] * 97 + [p99_s] * 3)


@pytest.mark.parametrize(
    ("usual_s", "during_s", "busy", "wrong", "doubts"),
    [
        (0.001, FLOOR_S, 0.0, 0, 0),
        (0.001, FLOOR_S * 1.01, 0.0, 1, 0),
        (0.001, FLOOR_S * 1.01, 0.5, 0, 1),
        (0.200, 0.400, 0.0, 0, 0),
        (0.200, 0.401, 0.0, 1, 0),
        (0.300, 0.500, 0.0, 0, 1),
    ],
)
def test_others_may_take_twice_as_long_but_a_quarter_of_a_second_is_never_too_long(
    usual_s: float, during_s: float, busy: float, wrong: int, doubts: int
) -> None:
    found: tuple[list[str], list[str]] = ([], [])
    judge_latency(felt(usual_s), felt(during_s), busy, *found)
    assert (len(found[0]), len(found[1])) == (wrong, doubts)


def test_others_who_could_not_talk_at_all_are_no_good_sign() -> None:
    found: tuple[list[str], list[str]] = ([], [])
    judge_latency(felt(0.001), Felt.of([]), 0.9, *found)
    assert found == (["others could not talk"], [])
