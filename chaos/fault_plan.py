"""Fault plans: TOML files with phases that follow each other, each with faults of its own.

    about = "a line for people"
    repeat = true              # begin again after the last phase until the load ends; true if left out
    carrier = "ladder"         # what a run should have where it leaves the choice to the plan
    access_processes = 2
    nat = "silent"
    forgets_after = "30s"

    [[phase]]
    name = "in the tunnel"
    duration = "6s"
    faults = ["loss=20%", "partition at 2s for 3s", "cut=30% at 5s"]

Faults are written as everywhere; their times count from the beginning of the phase, and what does not say for
how long ends with it.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from importlib.resources import files
from itertools import cycle
from pathlib import Path

import msgspec

from chaos.errors import FaultSyntaxError
from chaos.fault import fault_kinds
from chaos.levers import PROXIES, SERVER, SWARM
from chaos.packet_fault import PacketFault
from chaos.packets import nat
from chaos.packets.network import KINDS
from chaos.plan import FaultSpec, parse_fault
from chaos.quantities import seconds

_LIBRARY = "chaos.plans"
_LADDER = "ladder"
_LEAST_PHASE_S = 0.1
_LAYERS = {PROXIES: "proxies", SWARM: "the swarm's own ends", SERVER: "a server that the run starts"}


class Phase(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """[[phase]]. `faults`: as `chaos.plan.parse_fault` reads them; none for a time in which all is well."""

    name: str
    duration: str | float
    faults: list[str] = []

    @property
    def duration_s(self) -> float:
        """Raises FaultSyntaxError."""
        return seconds(self.duration) if isinstance(self.duration, str) else float(self.duration)

    @property
    def specs(self) -> list[FaultSpec]:
        """Times count from the beginning of the phase. Raises FaultSyntaxError."""
        return [self._within(parse_fault(text)) for text in self.faults]

    def _within(self, spec: FaultSpec) -> FaultSpec:
        length_s = self.duration_s
        if spec.at_s >= length_s or spec.at_s + (spec.for_s or 0) > length_s:
            raise FaultSyntaxError(f"phase {self.name!r} is over before {spec.as_text()!r} is")
        lasts = None if fault_kinds()[spec.name].instantaneous else spec.for_s or length_s - spec.at_s
        return replace(spec, for_s=lasts, phase=self.name)


class FaultPlan(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, dict=True):
    """See the heading of this file. `name`: of the file."""

    name: str
    about: str
    phase: list[Phase]
    repeat: bool = True
    carrier: str = ""
    access_processes: int | None = None
    nat: str = nat.SILENT
    forgets_after: str | float = ""

    def check(self) -> None:
        """Raises FaultSyntaxError for whatever would only show later."""
        if not self.phase:
            raise FaultSyntaxError("there is no [[phase]]")
        for phase in self.phase:
            if phase.duration_s < _LEAST_PHASE_S:
                raise FaultSyntaxError(f"phase {phase.name!r} lasts {_LEAST_PHASE_S} s at least")
        if self.nat not in nat.KINDS:
            raise FaultSyntaxError(f"there is no nat {self.nat!r}; there are {', '.join(nat.KINDS)}")
        if self.carrier == _LADDER and self.access_processes:
            raise FaultSyntaxError("the ladder's ports are not those of access processes: leave out one")
        if self.needs_network and not self.networks:
            raise FaultSyntaxError("no kind of network can do all of its faults")

    @cached_property
    def _specs(self) -> list[FaultSpec]:
        return [spec for phase in self.phase for spec in phase.specs]

    @property
    def forgets_after_s(self) -> float | None:
        """Seconds of silence; None for what a router does by itself."""
        if self.forgets_after == "":
            return None
        return seconds(self.forgets_after) if isinstance(self.forgets_after, str) else self.forgets_after

    @property
    def length_s(self) -> float:
        """Of all phases once."""
        return sum(phase.duration_s for phase in self.phase)

    @property
    def networks(self) -> tuple[str, ...]:
        """The kinds of network that can do all of its faults, the cheapest first; () when it needs none."""
        return networks_for(self._specs) if self.needs_network else ()

    @property
    def needs_network(self) -> bool:
        """Whether it has faults of packets."""
        return self.forgets_after != "" or any(_is_of_packets(spec) for spec in self._specs)

    @property
    def needs(self) -> str:
        """In a few words: the layers that it needs."""
        pulls = dict.fromkeys(spec.pulls for spec in self._specs)
        layers = [_LAYERS[each] for each in pulls if each in _LAYERS]
        if self.needs_network:
            layers.insert(0, f"a network of its own ({' or '.join(self.networks)})")
        return ", ".join(layers) + (f"; clients that come by {self.carrier}" if self.carrier else "")

    def schedule(self, duration_s: float) -> list[FaultSpec]:
        """The faults of a load of that length, in order of their beginning; none outlasts it."""
        return [
            spec
            for begin_s, phase in self._timeline(duration_s)
            for spec in _moved(phase, begin_s, duration_s)
        ]

    def _timeline(self, duration_s: float) -> Iterator[tuple[float, Phase]]:
        at_s = 0.0
        for phase in cycle(self.phase) if self.repeat else self.phase:
            if at_s >= duration_s:
                return
            yield at_s, phase
            at_s += phase.duration_s


def networks_for(specs: list[FaultSpec]) -> tuple[str, ...]:
    """The kinds of network in which all of these are possible."""
    kinds = fault_kinds()
    wanted = [kinds[spec.name] for spec in specs]
    return tuple(
        kind
        for kind in KINDS
        if all(kind in each.networks for each in wanted if issubclass(each, PacketFault))
    )


def library() -> list[str]:
    """Names of the plans that come with Chatproof."""
    return sorted(file.name[:-5] for file in files(_LIBRARY).iterdir() if file.name.endswith(".toml"))


def load_fault_plan(name: str) -> FaultPlan:
    """A plan of the library by name, or a file. Raises FaultSyntaxError with the first mistake."""
    path = Path(name)
    if not path.suffix and not path.exists():
        if name not in library():
            raise FaultSyntaxError(
                f"there is no fault plan {name!r}; there are {', '.join(library())}, or give a file"
            )
        text = files(_LIBRARY).joinpath(f"{name}.toml").read_text()
    else:
        try:
            text = path.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise FaultSyntaxError(
                f"fault plan {name}: {getattr(error, 'strerror', None) or error}"
            ) from error
    try:
        plan = msgspec.convert({"name": path.stem, **tomllib.loads(text)}, FaultPlan)
        plan.check()
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, FaultSyntaxError) as error:
        raise FaultSyntaxError(f"fault plan {name}: {error}") from error
    return plan


def _moved(phase: Phase, begin_s: float, end_s: float) -> Iterator[FaultSpec]:
    for spec in phase.specs:
        at_s = round(begin_s + spec.at_s, 3)
        if at_s >= end_s:
            continue
        lasts = None if spec.for_s is None else round(min(spec.for_s, end_s - at_s), 3)
        yield replace(spec, at_s=at_s, for_s=lasts)


def _is_of_packets(spec: FaultSpec) -> bool:
    return issubclass(fault_kinds()[spec.name], PacketFault)
