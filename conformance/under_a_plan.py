"""What cases have in common that last as long as the phases of a fault plan."""

import time
from collections.abc import Sequence

import gevent

from conformance.phases import Spell
from conformance.target import Target
from conformance.verdicts import Undecided, not_offered
from conformance.weather import Weather
from drivers.events import Acked, Event
from drivers.pumps.blocking import Device

_PACE_S = 0.1
_MOST_OWED = 5
_MET_S = 1.0
_NEW_NETWORK_S = 0.7
"""Into each phase: its faults are on by then."""


def weather_of(target: Target, *, network: bool = False) -> Weather:
    """The case is not offered without a fault plan. `network`: nor under one without packets of its own."""
    if target.weather is None:
        not_offered("only under a fault plan (--fault-plan)")
    if network and target.weather.network is None:
        not_offered(f"under {target.weather.plan.name} known addresses are proxied, and no others broken")
    return target.weather


def seeking_weather(target: Target, *faults: str) -> Weather:
    """The case is not offered unless clients have to find their way round one of these faults."""
    weather = weather_of(target)
    if not weather.by_ladder or not weather.has(*faults):
        not_offered(
            f"under {weather.plan.name}: it closes nothing that leaves another way ({'/'.join(faults)})"
        )
    return weather


def a_round(weather: Weather) -> list[Spell]:
    """The next phases, each once."""
    spells = weather.coming_round()
    if not spells:
        raise Undecided(f"{weather.plan.name} is over, and does not repeat")
    return spells


def talk(source: Device, to: str, until: float) -> list[bytes]:
    """A message is handed over every tenth of a second until then, unless several wait already; all of them,
    each acknowledged."""
    seen = len(source.events)
    bodies: list[bytes] = []
    cids: list[str] = []
    while time.monotonic() < until:
        if source.client.unfinished < _MOST_OWED:
            bodies.append(f"{source.name} says {len(bodies)}".encode())
            cids.append(source.send(to, bodies[-1]))
        gevent.sleep(_PACE_S)
    for cid in cids:
        source.await_event(Acked, lambda event, cid=cid: event.cid == cid, since=seen)  # type: ignore[misc]
    return bodies


def happened_in(device: Device, kind: type[Event], spell: Spell) -> int:
    """How many events of that kind the device had in a phase, once all of its faults had met everybody."""
    events = zip(device.events, device.happened_at, strict=True)
    since = spell.broken_from + _MET_S
    return sum(isinstance(event, kind) and since <= at < spell.end for event, at in events)


def move_in_each(device: Device, spells: Sequence[Spell]) -> None:
    """In each phase, once its faults are on, the device comes into another network: it has no connection,
    and knows no way."""
    for spell in spells:
        spell.await_begin()
        gevent.sleep(_NEW_NETWORK_S)
        ladder = device.client.ladder
        assert ladder is not None, "expected a client with a scheduler to have a ladder"
        ladder.on_network(f"{spell.phase.name} at {spell.begin}", time.monotonic())
        device.cut()
