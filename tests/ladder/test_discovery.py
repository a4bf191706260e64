"""CHN.5, CHN.6: a name that nobody, the wrong one or a slow one resolves; a scheduler dead, or a portal."""

import gevent
import pytest

from drivers import events
from drivers.pumps.scouts import Scouts
from tests.ladder.conftest import PATIENCE_S


def with_resolver(client, resolve):
    """The system's resolver is `resolve` for this client."""
    client.client.ladder.send_out = Scouts(client.client.ladder, resolve).go
    return client


def dead(name: str) -> list[str]:
    raise OSError(-2, "Name or service not known")


def slow(name: str) -> list[str]:
    gevent.sleep(3600.0)
    return []


def via(client) -> str:
    return client.log_in(PATIENCE_S).endpoint


@pytest.mark.parametrize("resolve", [dead, slow, lambda name: ["127.0.0.9"], lambda name: []])
def test_httpdns_leads_past_a_resolver_that_is_dead_slow_or_lies(device, ports, resolve) -> None:
    url = f"chat+scheduler://chat.example:{ports[3]}?httpdns=127.0.0.1:{ports[2]}&ports={ports[0]}"
    assert via(with_resolver(device(url), resolve)).startswith("tcp:")


@pytest.mark.parametrize("resolve", [dead, slow, lambda name: ["127.0.0.9"], lambda name: []])
@pytest.mark.parametrize("httpdns", ["refused", "swallowed", "portal"])
def test_addresses_built_in_are_the_last_resort(
    device, ports, refused, black_holes, portal, resolve, httpdns
) -> None:
    asked = {"refused": refused[0], "swallowed": black_holes[0], "portal": portal}[httpdns]
    url = (
        f"chat+scheduler://chat.example:{ports[3]}?httpdns=127.0.0.1:{asked}&ports={ports[0]},{ports[1]}"
        f"&fallback=127.0.0.8,127.0.0.1"
    )
    assert int(via(with_resolver(device(url), resolve)).rpartition(":")[2]) in ports[:2]


def test_a_resolver_that_is_right_is_enough(device, ports) -> None:
    url = f"chat+scheduler://chat.example:{ports[3]}?ports={ports[0]}"
    assert via(with_resolver(device(url), lambda name: ["127.0.0.1"])).startswith("tcp:")


def test_a_dead_scheduler_leaves_the_ports_of_its_address(device, ports, refused) -> None:
    assert via(device(f"chat+scheduler://127.0.0.1:{refused[0]}?ports={ports[1]}")) == f"tcp:{ports[1]}"


def test_a_captive_portal_is_recognised_and_not_believed(device, portal) -> None:
    client = device(
        f"chat+scheduler://chat.example:{portal}?httpdns=127.0.0.1:{portal}&ports={portal}&fallback=127.0.0.1"
    )
    with_resolver(client, lambda name: ["127.0.0.1"])
    failed = client.start().await_event(events.ConnectFailed, timeout_s=PATIENCE_S)
    assert "HTTPDNS at 127.0.0.1: a web page instead of an answer" in failed.reason
    assert client.all_of(events.Refused) == client.all_of(events.LoggedIn) == []


def test_behind_a_portal_on_some_ports_the_others_are_taken(device, ports, portal) -> None:
    url = f"chat+scheduler://127.0.0.1:{portal}?ports={portal},{ports[0]}"
    assert via(device(url)) == f"tcp:{ports[0]}"


def test_an_access_point_that_is_built_in_needs_no_scheduler(device, ports, refused) -> None:
    url = f"chat+scheduler://chat.example:{refused[0]}?ports={refused[1]}"
    client = device(url, f"chat+ws://127.0.0.1:{ports[2]}")
    assert via(with_resolver(client, dead)) == f"ws:{ports[2]}"
