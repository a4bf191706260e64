"""Shipped plans are good; a mistake in a plan is one line that names its place."""

import pytest

from chatproof.errors import WrongUse
from chatproof.plan import Plan, as_toml, load_plan, parse_plan, shipped


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_plan_is_good(name: str) -> None:
    plan = load_plan(name)
    plan.check()
    assert plan.name == name
    assert plan.cohorts >= plan.swarm_processes
    assert plan.duration_s > 0


@pytest.mark.parametrize("name", shipped())
def test_a_plan_written_out_is_the_same_plan(name: str) -> None:
    plan = load_plan(name)
    assert parse_plan(as_toml(plan), "elsewhere.toml") == plan


def test_without_a_word_there_is_a_good_plan() -> None:
    Plan().check()


@pytest.mark.parametrize("rate", [1.0, 60.0, 5000.0])
@pytest.mark.parametrize("connections", [20, 1000, 1234])
def test_the_rate_is_that_of_all_cohorts_together(rate: float, connections: int) -> None:
    plan = Plan(connections=connections, rate=rate)
    assert plan.options().send_rate * plan.cohorts == pytest.approx(rate)
    assert plan.cohorts * plan.options().cohort == connections


def test_the_rate_is_shared_by_the_cohorts_that_chat() -> None:
    plan = Plan(connections=1000, rate=60.0, swarm={"cohort": 10, "chat_share": 0.05})
    assert plan.options().send_rate * 5 == pytest.approx(60.0)


@pytest.mark.parametrize(
    ("connections", "swarm", "access", "sources"),
    [(2000, 1, 0, 1), (18_000, 1, 0, 4), (18_001, 2, 2, 4), (1_000_000, 56, 56, 200)],
)
def test_processes_and_addresses_follow_from_the_connections(
    connections: int, swarm: int, access: int, sources: int
) -> None:
    plan = Plan(connections=connections)
    assert (plan.swarm_processes, plan.access_processes, plan.options().sources) == (swarm, access, sources)


def test_both_sides_slow_down_where_many_processes_share_a_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    small, large = Plan(connections=18_000), Plan(connections=1_000_000)
    assert (small.options().pace, small.server_pace_s) == (0.0, 0.0)
    assert large.options().pace == large.server_pace_s == pytest.approx(0.112)
    assert Plan(connections=1_000_000, swarm={"pace": 0.0}).options().pace == 0.0


MALFORMED = {
    "connections = = 5": "line 1",
    'scenario = "chat"\nscenario = "chat"': "mine.toml: Cannot overwrite a value",
    "conections = 5": "conections",
    'connections = "many"': "$.connections",
    "[target]\nurll = 'x'": "$.target",
    "[target]\ntcp_ports = 'two'": "$.target.tcp_ports",
    "fault = 5": "$.fault",
    "thresholds = [5]": "$.thresholds[0]",
    'scenario = "chta"': "scenario 'chta'",
    'shape = "cliff"': "shape 'cliff'",
    "connections = 0": "connections is at least 1",
    "processes = -1": "processes is at least 0",
    "[swarm]\ncohrt = 5": "[swarm] has no 'cohrt'",
    "[swarm]\ncohort = 'five'": "swarm.cohort is a int",
    "connections = 100\n[swarm]\ncohort = 30": "no multiple of a cohort of 30",
    "connections = 4": "holds no circle of 5",
    "[swarm]\ncircle = 1": "a circle of 1",
    'duration = "soon"': "duration: ",
    "duration = 0": "longer than nothing",
    'thresholds = ["fast please"]': "'fast please'",
    'thresholds = ["latency_ms.delivr.p99 < 5"]': "latency_ms.deliver.p99",
    '[[fault]]\nfault = "frame_los"\nvalue = "5%"\nat = "1s"\nfor = "1s"': "frame_los",
    '[[fault]]\nfault = "frame_loss"\nvalue = "lots"\nat = "1s"\nfor = "1s"': "lots",
    '[[fault]]\nfault = "frame_loss"\nvalue = "5%"\nat = "whenever"': "whenever",
    '[target]\nurl = "ftp://h"\naccounts = "a"': "ftp://h",
    '[target]\nurl = "chat+tcp://h"': "--accounts",
}


@pytest.mark.parametrize("text", MALFORMED)
def test_a_mistake_is_one_line_that_names_its_place(text: str) -> None:
    with pytest.raises(WrongUse) as raised:
        parse_plan(text, "mine.toml").check()
    said = str(raised.value)
    assert MALFORMED[text] in said
    assert "\n" not in said
    assert raised.value.exit_code == 2
