"""Random schedules: the same for a seed, bounded, and always healed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.errors import FaultSyntaxError
from chaos.fault import fault_kinds
from chaos.nemesis import QUIET_S, Nemesis, forms
from chaos.plan import FaultSpec, parse_fault

WIRE = forms("wire", has_access=True, is_ours=True, ladder=False)


def ends_s(spec: FaultSpec) -> float:
    return spec.at_s + (spec.for_s or 0.0)


@given(st.integers(0, 10**6), st.floats(3.0, 120.0), st.floats(0.1, 4.0), st.floats(0.5, 20.0))
def test_whatever_is_drawn_heals_before_the_end_and_is_never_too_much(
    seed: int, duration_s: float, density: float, longest_s: float
) -> None:
    specs = Nemesis(seed, density, longest_s).schedule(duration_s, WIRE)
    assert specs == Nemesis(seed, density, longest_s).schedule(duration_s, WIRE)
    for spec in specs:
        assert spec.at_s >= QUIET_S
        assert ends_s(spec) <= duration_s - QUIET_S + 0.02
        assert (spec.for_s is None) == fault_kinds()[spec.name].instantaneous
        assert (spec.for_s or 0.0) <= longest_s + 0.01
        on = [each for each in specs if each.at_s <= spec.at_s < ends_s(each)]
        assert len(on) <= 4
        assert len({each.name for each in on}) == len(on)
        assert parse_fault(spec.as_text()) == spec


def test_faults_overlap() -> None:
    specs = Nemesis(1).schedule(60.0, WIRE)
    assert any(one.at_s < other.at_s < ends_s(one) for one in specs for other in specs)


def test_another_seed_is_another_schedule() -> None:
    assert Nemesis(1).schedule(60.0, WIRE) != Nemesis(2).schedule(60.0, WIRE)


def names_of(drawable: list[str]) -> set[str]:
    return {parse_fault(form).name for form in drawable}


def test_only_what_is_possible_is_drawn() -> None:
    nothing = names_of(forms(None, has_access=False, is_ours=False, ladder=False))
    assert {"frame_loss", "reset", "cut"} <= nothing
    assert not nothing & {"loss", "partition", "kill", "slow_disk"}
    assert {"loss", "delay"} <= names_of(WIRE)
    assert "delay" not in names_of(forms("nat", has_access=False, is_ours=True, ladder=False))
    assert "handover" in names_of(forms("nat", has_access=False, is_ours=True, ladder=False))
    assert "kill on access" not in forms("wire", has_access=False, is_ours=True, ladder=False)
    assert not names_of(forms("veth", has_access=False, is_ours=True, ladder=True)) & {"reset", "frame_loss"}
    assert names_of(forms("wire", has_access=False, is_ours=True, ladder=False, only=["loss"])) == {"loss"}


def test_every_form_can_be_read() -> None:
    for kind in fault_kinds().values():
        for form in kind.wild:
            assert parse_fault(form).name == kind.name


@pytest.mark.parametrize(
    ("nemesis", "said"),
    [
        (Nemesis(1, density=0), "density is more than 0, at most 4"),
        (Nemesis(1, longest_s=0.1), "longest is at least 0.5 s"),
        (Nemesis(1, faults=("frame_corrupted",)), "'frame_corrupted' is not for random schedules"),
    ],
)
def test_wrong_wishes_are_answered_in_one_line(nemesis: Nemesis, said: str) -> None:
    with pytest.raises(FaultSyntaxError, match=said):
        nemesis.check()
