"""Random schedules from a seed: faults overlap, each heals, and never too much is broken at once."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from chaos.errors import FaultSyntaxError
from chaos.fault import Fault, fault_kinds
from chaos.levers import PROXIES, SERVER
from chaos.packet_fault import PacketFault
from chaos.plan import FaultSpec, parse_fault

QUIET_S = 1.0
"""At the beginning of a load, and at its end, nothing is on."""
_SHORTEST_S = 0.5
_MOST_AT_ONCE = 4
_SHARES = ("10%", "25%", "50%")
_FOR_A_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class Nemesis:
    """`density`: how many faults are on at a time, on average; `longest_s`: no fault lasts longer. `faults`:
    their names, all that are possible if there are none."""

    seed: int
    density: float = 2.5
    longest_s: float = 5.0
    faults: tuple[str, ...] = ()

    def check(self) -> None:
        """Raises FaultSyntaxError."""
        if not 0 < self.density <= _MOST_AT_ONCE:
            raise FaultSyntaxError(
                f"nemesis: density is more than 0, at most {_MOST_AT_ONCE}, not {self.density}"
            )
        if self.longest_s < _SHORTEST_S:
            raise FaultSyntaxError(f"nemesis: longest is at least {_SHORTEST_S} s, not {self.longest_s:g}")
        known = {name for name, kind in fault_kinds().items() if kind.wild}
        for name in self.faults:
            if name not in known:
                raise FaultSyntaxError(
                    f"nemesis: {name!r} is not for random schedules; there are {', '.join(sorted(known))}"
                )

    def schedule(self, duration_s: float, forms: Sequence[str]) -> list[FaultSpec]:
        """Faults of a load of that length, in order of their beginning, each of them one of `forms`, healed
        before the load ends; the same for the same arguments. Never more than four are on at once."""
        dice = random.Random(f"nemesis/{self.seed}")
        mean_s = (_SHORTEST_S + self.longest_s) / 2
        at_s, specs = QUIET_S, list[FaultSpec]()
        while True:
            at_s = round(at_s + dice.expovariate(self.density / mean_s), 2)
            lasts_s = round(dice.uniform(_SHORTEST_S, self.longest_s), 2)
            form = dice.choice(forms)
            spec = _somewhere(replace(parse_fault(form), at_s=at_s), dice)
            if at_s + _SHORTEST_S > duration_s - QUIET_S:
                return specs
            on = [each for each in specs if each.at_s + (each.for_s or 0) > at_s]
            if len(on) >= _MOST_AT_ONCE or any(each.name == spec.name for each in on):
                continue
            if not fault_kinds()[spec.name].instantaneous:
                left_s = duration_s - QUIET_S - at_s
                spec = replace(spec, for_s=round(min(lasts_s, left_s), 2))
            specs.append(spec)


def forms(
    network: str | None, *, has_access: bool, is_ours: bool, ladder: bool, only: Sequence[str] = ()
) -> list[str]:
    """What may be drawn in a network of that kind, None for the machine's own: the wild forms of each fault
    that is possible there, each fault as often as any other. `is_ours`: the run starts the server;
    `has_access`: with access processes; `ladder`: clients find their way in by themselves."""
    found = []
    for name, kind in fault_kinds().items():
        wild = [form for form in kind.wild if has_access or " on access" not in form]
        if (
            wild
            and (not only or name in only)
            and _is_possible(kind, network, is_ours=is_ours, ladder=ladder)
        ):
            found.append(wild)
    most = max((len(wild) for wild in found), default=0)
    return [wild[number % len(wild)] for wild in found for number in range(most)]


def _is_possible(kind: type[Fault[Any]], network: str | None, *, is_ours: bool, ladder: bool) -> bool:
    if issubclass(kind, PacketFault):
        return network in kind.networks
    if kind.pulls == SERVER:
        return is_ours
    # A scheduler names the true access points, not those of a proxy.
    return not ladder if kind.pulls == PROXIES else ladder or not kind.needs_ladder


def _somewhere(spec: FaultSpec, dice: random.Random) -> FaultSpec:
    """The fault for everybody, or, if it can be, for a share of the clients."""
    share = dice.choice(_SHARES)
    if dice.random() < _FOR_A_SHARE and fault_kinds()[spec.name].per_client:
        return replace(spec, target=f"clients/{share}")
    return spec
