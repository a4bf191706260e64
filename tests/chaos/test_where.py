"""Where a fault is on: everywhere, at one place, for a share of clients or connections."""

import pytest

from chaos.errors import ChaosError, FaultSyntaxError
from chaos.levers import Levers
from chaos.plan import FaultSpec, parse_fault
from chaos.where import Where


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("*", Where()),
        ("clients", Where()),
        ("clients/25%", Where(clients=0.25)),
        ("connections/10%", Where(connections=0.1)),
        ("access-1", Where("access-1")),
        ("access-1/0.5", Where("access-1", connections=0.5)),
    ],
)
def test_what_is_written_behind_on(text: str, where: Where) -> None:
    assert Where.parse(text) == where


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("loss=5% on clients/0%", "that is nobody"),
        ("loss=5% on clients/x", "'x' is not a number"),
        ("loss=5% on connections/5%", "loss knows no connections"),
        ("loss=5% on access-1", "leave out `on`"),
        ("kill on access/50%", "kill knows no connections"),
        ("nat_forget on clients/50%", "nat_forget is on for everybody"),
        ("latency=5ms on /5%", "a share of what?"),
    ],
)
def test_a_share_that_a_fault_cannot_have_is_refused(text: str, said: str) -> None:
    with pytest.raises(FaultSyntaxError) as caught:
        parse_fault(text)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "text", ["loss=5% at 10s for 20s on clients/25%", "reset at 3s", "kill at 1s on server"]
)
def test_a_fault_is_read_again_as_it_was_written(text: str) -> None:
    spec = parse_fault(text)
    assert spec.as_text() == text
    assert FaultSpec.from_mapping(spec.as_mapping()) == spec


def test_the_same_clients_are_chosen_for_the_same_seed() -> None:
    addresses = tuple(f"127.0.0.{number}" for number in range(2, 22))
    one, other = Levers(clients=addresses, seed=7), Levers(clients=addresses, seed=8)
    chosen = one.share_of_clients(0.25, "0/loss")
    assert len(chosen) == 5
    assert set(chosen) < set(addresses)
    assert one.share_of_clients(0.25, "0/loss") == chosen
    assert one.share_of_clients(0.25, "1/loss") != chosen
    assert other.share_of_clients(0.25, "0/loss") != chosen
    assert len(one.share_of_clients(0.001, "0/loss")) == 1


def test_where_clients_look_alike_nobody_is_chosen() -> None:
    with pytest.raises(ChaosError, match="cannot be told apart"):
        Levers().share_of_clients(0.5, "")
