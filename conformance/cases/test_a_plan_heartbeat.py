"""HBT.4 and HBT.6 under fault plans: a router that forgets, a server that dies with everybody connected."""

import gevent
import pytest

from chaos.fault_plan import Phase
from chaos.quantities import seconds
from conformance.accounts import Block
from conformance.clients import MakeDevice
from conformance.target import Target
from conformance.under_a_plan import weather_of
from conformance.verdicts import Undecided, not_offered
from drivers.client import State
from drivers.events import Closed, ConnectFailed, LoggedIn, Opened
from drivers.pumps.blocking import Device

pytestmark = [
    pytest.mark.lasts,
    pytest.mark.only_over("tcp", "tls", "ws", "wss", why="over polls there is no connection to keep"),
]


@pytest.mark.clause("HBT.4")
def test_an_adaptive_client_finds_an_interval_below_the_routers(
    block: Block, device: MakeDevice, target: Target
) -> None:
    """... a client behind a middlebox that forgets idle flows after T seconds finds an interval below T and
    stays connected (adaptive heartbeat).

    A client begins with an interval half as long again as a router of the plan remembers. Expected: when the
    router is like that for the second time, the client's interval is below, and it loses no connection.
    """
    weather = weather_of(target)
    limits = [
        seconds(spec.value)
        for phase in weather.plan.phase
        for spec in phase.specs
        if spec.name == "nat_timeout" and spec.value is not None
    ]
    if not limits:
        not_offered(f"under {weather.plan.name} nothing forgets connections for being silent")
    limit_s = min(limits)
    one = device(block.users[0], heartbeat_s=int(1.5 * limit_s), adaptive_heartbeat=True)
    one.log_in()
    silent = (spell for spell in weather.upcoming() if spell.has("nat_timeout"))
    next(silent, None)
    second = next(silent, None)
    if second is None:
        raise Undecided(f"{weather.plan.name} forgets the silent only once")
    second.await_end()
    asked_s = one.all_of(LoggedIn)[-1].heartbeat_s
    assert asked_s < limit_s, (
        f"expected an interval below {limit_s:g} s after what was lost, it is {asked_s:g} s"
    )
    ends = zip(one.events, one.happened_at, strict=True)
    lost = sum(isinstance(event, Closed) and at in second for event, at in ends)
    assert not lost, f"expected to stay connected with an interval of {asked_s:g} s, {lost} were lost"


_CLIENTS = 60
_AT_ONCE = 6
_BACK_S = 60.0


def kills(phase: Phase) -> bool:
    """Whether everybody loses the server in it."""
    return any(spec.name == "kill" and spec.where.name == "server" for spec in phase.specs)


def attempts_of(one: Device, since: float) -> list[float]:
    """When a device tried to connect, in vain or not."""
    times = zip(one.events, one.happened_at, strict=True)
    return [at for event, at in times if at >= since and isinstance(event, Opened | ConnectFailed)]


@pytest.mark.clause("HBT.6")
def test_clients_that_lose_their_server_come_back_spread(
    block: Block, device: MakeDevice, target: Target
) -> None:
    """When N clients lose a node at once, reconnects are spread by exponential backoff with jitter, and all
    are back within 60 s.

    Sixty clients with the patience of an app are connected when the plan kills the server, which is started
    again. Expected: in no second there are half as many attempts as clients, and all are back within 60 s.
    """
    weather = weather_of(target)
    if not any(map(kills, weather.plan.phase)):
        not_offered(f"under {weather.plan.name} nobody loses the server together with all others")
    clients = [
        device(user, f"device {number}", heartbeat_s=60, reconnect_base_s=8.0, reconnect_cap_s=30.0)
        for number in range(_CLIENTS // len(block.users))
        for user in block.users
    ]
    for start in range(0, _CLIENTS, _AT_ONCE):
        entering = [gevent.spawn(each.log_in) for each in clients[start : start + _AT_ONCE]]
        gevent.joinall(entering, raise_error=True)
    spell = next((each for each in weather.upcoming() if kills(each.phase)), None)
    if spell is None:
        raise Undecided(f"{weather.plan.name} kills the server no more")
    spell.await_end()
    away = [(each, len(each.events)) for each in clients if each.client.state is not State.ONLINE]
    for each, seen in away:
        each.await_event(LoggedIn, since=seen, timeout_s=_BACK_S / each.patience)
    tries = sorted(at for each in clients for at in attempts_of(each, spell.begin))
    busiest = max(sum(start <= at < start + 1.0 for at in tries) for start in tries)
    assert busiest < len(clients) / 2, (
        f"expected less than {len(clients) // 2} attempts in any second, the busiest has {busiest}"
    )
