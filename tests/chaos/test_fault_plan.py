"""Fault plans: phases become faults at their times, and what cannot be meant is said."""

from pathlib import Path

import pytest

from chaos.errors import FaultSyntaxError
from chaos.fault_plan import library, load_fault_plan

PLAN = """
about = "two phases"

[[phase]]
name = "first"
duration = "4s"
faults = ["loss=5% at 1s", "cut=20% at 2s"]

[[phase]]
name = "second"
duration = 6
faults = ["partition for 2s on clients/25%"]
"""


@pytest.fixture
def saved(tmp_path: Path):
    def save(text: str) -> str:
        path = tmp_path / "ours.toml"
        path.write_text(text)
        return str(path)

    return save


def test_phases_follow_each_other_until_the_load_ends(saved) -> None:
    plan = load_fault_plan(saved(PLAN))
    found = [(spec.phase, spec.as_text()) for spec in plan.schedule(16.0)]
    assert found == [
        ("first", "loss=5% at 1s for 3s"),
        ("first", "cut=20% at 2s"),
        ("second", "partition at 4s for 2s on clients/25%"),
        ("first", "loss=5% at 11s for 3s"),
        ("first", "cut=20% at 12s"),
        ("second", "partition at 14s for 2s on clients/25%"),
    ]


def test_no_fault_outlasts_the_load(saved) -> None:
    plan = load_fault_plan(saved(PLAN))
    assert [spec.as_text() for spec in plan.schedule(2.0)] == ["loss=5% at 1s for 1s"]


def test_a_plan_that_does_not_repeat_is_over_once(saved) -> None:
    plan = load_fault_plan(saved(f"repeat = false\n{PLAN}"))
    assert len(plan.schedule(1000.0)) == 3


def test_what_a_plan_needs_shows_in_its_faults(saved) -> None:
    plan = load_fault_plan(saved(PLAN))
    assert plan.networks == ("veth", "wire", "nat")
    assert plan.needs == "a network of its own (veth or wire or nat), the swarm's own ends"
    only_proxies = load_fault_plan(
        saved(PLAN.replace("partition for 2s", "latency=5ms").replace("loss", "frame_loss"))
    )
    assert only_proxies.networks == ()
    assert not only_proxies.needs_network


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("loss=5% at 1s", "loss=5% at 4s", "phase 'first' is over before 'loss=5% at 4s' is"),
        ("partition for 2s", "partition for 7s", "is over before 'partition at 0s for 7s on clients/25%' is"),
        ('duration = "4s"', 'duration = "0s"', "phase 'first' lasts 0.1 s at least"),
        ("loss=5%", "rain=5%", "there is no fault 'rain'"),
        ("loss=5%", "delay=5ms at 0s for 1s', 'handover", "ours.toml"),
        ("about =", "abuot =", "unknown field `abuot`"),
        ("on clients/25%", "on clients/0%", "that is nobody"),
    ],
)
def test_what_cannot_be_meant_is_said_with_the_place(saved, old: str, new: str, said: str) -> None:
    assert old in PLAN
    with pytest.raises(FaultSyntaxError) as caught:
        load_fault_plan(saved(PLAN.replace(old, new)))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_faults_that_no_network_can_do_together_are_refused(saved) -> None:
    with pytest.raises(FaultSyntaxError, match="no kind of network"):
        load_fault_plan(saved(PLAN.replace('"loss=5% at 1s"', '"delay=5ms", "handover"')))


@pytest.mark.parametrize("name", library())
def test_each_plan_of_the_library_says_what_it_is_and_what_it_needs(name: str) -> None:
    plan = load_fault_plan(name)
    assert plan.about
    assert plan.needs
    assert plan.schedule(3 * plan.length_s)


def test_a_name_that_nobody_knows_is_answered_with_those_that_exist() -> None:
    with pytest.raises(FaultSyntaxError, match=r"no fault plan 'metro'; there are .*subway"):
        load_fault_plan("metro")
