"""Faults of packets as people write them, and what is said when the plan's network cannot do them."""

from collections.abc import Sequence

import pytest
from gevent.event import Event

from chaos.errors import ChaosError, FaultSyntaxError
from chaos.fault import fault_kinds
from chaos.levers import NETWORK, Levers
from chaos.packet_fault import PacketFault
from chaos.packets.impairment import Impairment
from chaos.packets.network import KINDS
from chaos.packets.trouble import Trouble
from chaos.plan import parse_fault
from chaos.schedule import FaultSchedule
from chatproof.errors import WrongUse
from chatproof.plan import as_toml, parse_plan


class Recording:
    """A lever that writes down what is pulled."""

    kind = "wire"

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.healed: list[Trouble] = []

    def impair(self, impairment: Impairment, streams: Sequence[str], clients: Sequence[str] = ()) -> Trouble:
        return self._ask(impairment.as_dict(), *streams, *clients)

    def block(self, numbers: Sequence[int], how: str, clients: Sequence[str] = ()) -> Trouble:
        return self._ask(*numbers, how, *clients)

    def vanish(self, share: float, clients: Sequence[str] = ()) -> tuple[Trouble, int]:
        return self._ask(share, *clients), 7

    def part(self, streams: Sequence[str], clients: Sequence[str] = ()) -> Trouble:
        return self._ask(*streams, *clients)

    def forget(self) -> tuple[Trouble, int]:
        return self._ask(), 9

    def forget_after(self, idle_s: float) -> Trouble:
        return self._ask(idle_s)

    def heal(self, trouble: Trouble) -> dict[str, int]:
        self.healed.append(trouble)
        return {"met": trouble.impairment}

    def _ask(self, *what: object) -> Trouble:
        self.asked.append(what)
        return Trouble("some layer", impairment=len(self.asked))


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("loss=5%", ({"loss": 0.05}, "upstream", "downstream")),
        ("loss=5% stream upstream", ({"loss": 0.05}, "upstream")),
        ("delay=80ms", ({"delay_ms": 80.0}, "upstream", "downstream")),
        ("jitter=40ms", ({"delay_ms": 20.0, "jitter_ms": 20.0}, "upstream", "downstream")),
        ("reorder=5%/20ms", ({"reorder": 0.05, "hold_ms": 20.0}, "upstream", "downstream")),
        ("reorder=5%", ({"reorder": 0.05}, "upstream", "downstream")),
        ("duplicate=2%", ({"duplicate": 0.02}, "upstream", "downstream")),
        ("corrupt=1%", ({"corrupt": 0.01}, "upstream", "downstream")),
        ("corrupt=1%/unnoticed", ({"unnoticed": 0.01}, "upstream", "downstream")),
        ("rate=200KB/s", ({"rate_bytes_s": 200_000}, "upstream", "downstream")),
        ("block_port=14000,443", (14000, 443, "drop")),
        ("block_port=80/reset", (80, "reset")),
        ("dead_peer=20%", (0.2,)),
        ("dead_peer", (1.0,)),
        ("partition", ("upstream", "downstream")),
        ("partition stream downstream", ("downstream",)),
        ("nat_forget", ()),
        ("nat_timeout=30s", (30.0,)),
    ],
)
def test_a_fault_pulls_what_it_says_and_heals_what_it_did(text: str, asked: object) -> None:
    lever, fault = Recording(), parse_fault(text).fault()
    detail = fault.apply(lever, "*")
    assert lever.asked == [asked]
    assert detail["layer"]
    assert detail["network"] == "wire"
    assert fault.heal(lever, "*") == {"counts": {"met": lever.healed[0].impairment}}
    assert fault.heal(lever, "*") == {}
    assert len(lever.healed) == 1


def test_every_fault_of_packets_says_in_which_networks_it_works() -> None:
    kinds = [kind for kind in fault_kinds().values() if kind.pulls == NETWORK]
    assert len(kinds) >= 12
    for kind in kinds:
        assert issubclass(kind, PacketFault)
        assert set(kind.networks) <= set(KINDS)
        for network in kind.networks:
            parse_fault(kind.example).check_network(network)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("loss", "loss needs a value"),
        ("loss=5% on access-1", "whole network, not for 'access-1': leave out `on`"),
        ("delay=3", "'3' is not a time"),
        ("delay=3ms stream side", "there are upstream, downstream, both"),
        ("corrupt=1%/loudly", "only be /unnoticed"),
        ("rate=0KB/s", "that is called partition"),
        ("block_port", "block_port needs a value"),
        ("block_port=0", "'0' are no ports"),
        ("block_port=http", "'http' are no ports"),
        ("block_port=80/burn", "there may be drop, reset, unreachable"),
        ("block_port=80 stream upstream", "takes no stream"),
        ("dead_peer=0%", "is nobody"),
        ("partition=5", "partition takes no value"),
        ("nat_forget=5s", "nat_forget takes no value"),
        ("nat_timeout=100ms", "at least 1"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(text: str, said: str) -> None:
    with pytest.raises(FaultSyntaxError) as caught:
        parse_fault(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        (
            '[[fault]]\nfault = "loss"\nvalue = "5%"',
            'loss needs a network of kind "veth" or "wire" or "nat", but it',
        ),
        (
            '[network]\nkind = "veth"\n[[fault]]\nfault = "delay"\nvalue = "5ms"',
            'delay needs a network of kind "wire", but its kind is "veth"',
        ),
        (
            '[network]\nkind = "wire"\n[[fault]]\nfault = "nat_forget"',
            'nat_forget needs a network of kind "nat", but its kind is "wire"',
        ),
        (
            '[network]\nkind = "cloud"',
            "there is no network 'cloud'; there are none, loopback, veth, wire, nat",
        ),
        ('[network]\nkind = "nat"\nnat = "kind"', "there is no network.nat 'kind'; there are silent"),
        ('[network]\nkind = "wire"\nforgets_after = "5s"', 'network.forgets_after is for kind "nat"'),
        ('[network]\nkind = "nat"\nforgets_after = "soon"', "network.forgets_after: 'soon' is not"),
        ("[network]\ncapture = 5", "network.capture needs a network of the run's own"),
        ('[network]\nkind = "wire"\ncapture_mb = 0', "capture_mb from 1 to 1024"),
        (
            '[network]\nkind = "wire"\n[target]\nurl = "chat+tcp://127.0.0.1:1"\naccounts = "x"',
            "to the embedded server only, not to the target given",
        ),
        ('toxiproxy = "http://127.0.0.1:1"\n[network]\nkind = "wire"', "not to the toxiproxy given"),
    ],
)
def test_a_plan_whose_network_cannot_is_wrong_in_one_line(toml: str, said: str) -> None:
    with pytest.raises(WrongUse) as caught:
        parse_plan(toml, "test").check()
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_network_of_a_plan_is_written_out_with_it() -> None:
    plan = parse_plan('[network]\nkind = "nat"\nnat = "reset"\nforgets_after = "30s"\ncapture = 5', "test")
    plan.check()
    again = parse_plan(as_toml(plan), "test")
    assert (again.network.kind, again.network.nat, again.network.capture) == ("nat", "reset", 5)
    assert again.network.forgets_after_s == 30.0


def test_the_summary_of_a_fault_says_which_layer_did_it() -> None:
    begun = Event()
    levers = Levers(network=Recording())
    schedule = FaultSchedule([parse_fault("loss=5%")], levers, lambda record: begun.set())
    schedule.start(0.0)
    assert begun.wait(60)
    assert schedule.records[0].detail["summary"] == "loss 5% on all, by some layer"
    schedule.heal_all()


def test_without_a_network_a_fault_of_packets_says_what_it_would_need() -> None:
    with pytest.raises(ChaosError, match="loss needs a network of its own"):
        Levers().lever(NETWORK, "loss")
