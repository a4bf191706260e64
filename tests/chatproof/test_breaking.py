"""What a run's fault plan and nemesis come to, before anything is started."""

import pytest

from chaos.packets.network import CLIENT_ADDRESSES
from chatproof import breaking
from chatproof.breaking import addresses_of, broken_down
from chatproof.errors import CannotRun, WrongUse
from chatproof.plan import NemesisPlan, NetworkPlan, Plan, Target, as_toml, parse_plan


@pytest.fixture
def able(monkeypatch: pytest.MonkeyPatch):
    def only(*kinds: str) -> None:
        found = {kind: "" if kind in kinds else "no such device here" for kind in ("veth", "wire", "nat")}
        monkeypatch.setattr(breaking, "possible_networks", lambda: found)

    return only


def test_the_plan_as_run_repeats_it_alone(able) -> None:
    able("veth", "wire", "nat")
    plan = Plan(fault_plan="subway", duration="30s")
    brought = broken_down(plan)
    plan.check()
    assert plan.network.kind == "veth"
    assert {spec.phase.partition(":")[0] for spec in brought} == {"subway"}
    again = parse_plan(as_toml(plan), "again.toml")
    assert again.faults == brought
    assert broken_down(again) == []
    assert as_toml(again).replace("again", "default") == as_toml(plan).replace("again", "default")


def test_the_first_network_that_can_do_it_and_that_there_is(able) -> None:
    able("wire")
    plan = Plan(fault_plan="subway")
    broken_down(plan)
    assert plan.network.kind == "wire"
    able("veth")
    with pytest.raises(CannotRun, match=r"need a network of their own \(nat\): no such device here"):
        broken_down(Plan(fault_plan="handover"))


def test_a_plan_brings_its_carrier_and_processes_unless_that_contradicts(able) -> None:
    able("veth", "wire", "nat")
    plan = Plan(fault_plan="office-firewall")
    broken_down(plan)
    assert plan.target.carrier == "ladder"
    plan = Plan(fault_plan="datacentre-outage")
    broken_down(plan)
    assert plan.access_processes == 2
    with pytest.raises(WrongUse, match="needs the embedded server, and --carrier ladder"):
        broken_down(Plan(fault_plan="office-firewall", target=Target(carrier="ws")))
    with pytest.raises(WrongUse, match="there is no fault plan 'metro'"):
        broken_down(Plan(fault_plan="metro"))


def test_a_nemesis_is_drawn_from_what_there_is(able) -> None:
    able()
    plan = Plan(nemesis=NemesisPlan(seed=7), duration="60s")
    brought = broken_down(plan)
    assert plan.network.kind == "none"
    assert brought
    assert plan.nemesis is None
    plan.check()
    able("veth", "wire", "nat")
    kinds = set()
    for seed in range(3):
        plan = Plan(nemesis=NemesisPlan(seed=seed), duration="60s")
        broken_down(plan)
        plan.check()
        kinds.add(plan.network.kind)
    assert kinds == {"veth", "wire", "nat"}


def test_clients_have_addresses_where_some_of_them_are_picked() -> None:
    table = {"fault": "frame_loss", "value": "5%", "target": "clients/25%"}
    assert addresses_of(Plan()) == ()
    assert len(addresses_of(Plan(fault=[table]))) == 20
    packets = Plan(fault=[{**table, "fault": "loss"}], network=NetworkPlan(kind="wire"))
    assert addresses_of(packets) == CLIENT_ADDRESSES
