"""CHN.3: whatever is blocked of the four ports, whoever can reach one of them is logged in within 10 s."""

from itertools import combinations

import pytest

from drivers import events
from drivers.pumps.wire import Expected
from tests.ladder.conftest import PATIENCE_S

SUBSETS = [blocked for size in (1, 2, 3, 4) for blocked in combinations(range(4), size)]


def mixed(open_ports, blocked_ports, blocked) -> list[int]:
    """The four ports with those of `blocked` out of order."""
    return [blocked_ports[n] if n in blocked else open_ports[n] for n in range(4)]


def without_scheduler(ports: list[int], dead: int) -> str:
    return f"chat+scheduler://127.0.0.1:{dead}?ports={','.join(map(str, ports))}"


@pytest.mark.parametrize("knows", ["scheduler", "address only"])
@pytest.mark.parametrize("blocked", SUBSETS, ids=lambda blocked: "".join(map(str, blocked)))
def test_refused_ports_do_not_keep_anybody_out(device, scheduler, ports, refused, blocked, knows) -> None:
    given = mixed(ports, refused[:4], blocked)
    url = scheduler.names(given) if knows == "scheduler" else without_scheduler(given, refused[4])
    check(device(url), [ports[n] for n in range(4) if n not in blocked])


@pytest.mark.parametrize("knows", ["scheduler", "address only"])
@pytest.mark.parametrize("blocked", SUBSETS, ids=lambda blocked: "".join(map(str, blocked)))
def test_swallowed_ports_do_not_keep_anybody_out(
    device, scheduler, ports, black_holes, blocked, knows
) -> None:
    given = mixed(ports, black_holes, blocked)
    url = scheduler.names(given) if knows == "scheduler" else without_scheduler(given, black_holes[3])
    check(device(url), [ports[n] for n in range(4) if n not in blocked])


def check(client, left: list[int]) -> None:
    if left:
        logged_in = client.log_in(10.0)
        assert int(logged_in.endpoint.rpartition(":")[2]) in left
    else:
        failed = client.start().await_event(events.ConnectFailed, timeout_s=PATIENCE_S)
        assert failed.reason.startswith("no way in: ")
        assert client.all_of(events.LoggedIn) == []


def test_while_there_is_no_way_a_client_does_not_hammer(device, refused) -> None:
    client = device(without_scheduler(refused[:4], refused[4]), reconnect_base_s=8.0, reconnect_cap_s=30.0)
    with pytest.raises(Expected):
        client.log_in(4.0)
    assert client.client.ladder.climbs <= 4
    assert len(client.all_of(events.ConnectFailed)) <= 6


def test_a_way_that_comes_back_is_found(device, scheduler, ports) -> None:
    client = device(scheduler.names(ports))
    client.log_in()
    client.cut()
    client.await_event(events.LoggedIn, since=len(client.events))
    assert client.client.ladder.climbs == 1, "what worked was looked for again"
