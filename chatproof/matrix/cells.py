"""What the cells of the matrix are, and why some are empty."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from chaos.fault import Fault, fault_kinds
from chaos.levers import NETWORK, PROXIES, SERVER
from chaos.packet_fault import PacketFault
from chaos.packets.network import WIRE
from chaos.plan import FaultSpec, parse_fault
from chatproof.errors import WrongUse
from chatproof.listening import CARRIERS, LADDER, PROCESSES
from chatproof.proxies import SCHEDULER

BEGINS_S = 2.0
LASTS_S = 3.0
_NEXT_S = 0.5
"""Between the faults of a trial that has several."""


@dataclass(frozen=True, slots=True)
class Cell:
    """`row`: the fault as the table names it. `why_not`: why it means nothing over this carrier, "" if it
    does. `network`: the kind that it needs, "none" for the machine's own."""

    row: str
    faults: tuple[FaultSpec, ...]
    carrier: str
    network: str = "none"
    why_not: str = ""

    @property
    def name(self) -> str:
        """For folders and seeds; no two cells share one."""
        letters = f"{self.row} {self.carrier}".replace("=+", "-plus-").replace("=-", "-minus-")
        return "".join(letter if letter.isalnum() else "-" for letter in letters)

    @property
    def access_processes(self) -> int:
        """Faults of access processes need some beside the one that stores."""
        return 2 if any(spec.target == "access" for spec in self.faults) else 0


def rows(only: Sequence[str] = ()) -> list[str]:
    """Every fault in every form that it is tried in; of those like one of the patterns, if there are any.

    Raises WrongUse for a pattern that nothing is like.
    """
    known = {trial: kind.name for kind in fault_kinds().values() for trial in trials(kind)}
    for pattern in only:
        if not any(_is_like(pattern, trial, name) for trial, name in known.items()):
            raise WrongUse(f"--only {pattern}: no fault is like it; there are {', '.join(fault_kinds())}")
    return [
        trial
        for trial, name in known.items()
        if not only or any(_is_like(pattern, trial, name) for pattern in only)
    ]


def cells(only: Sequence[str] = (), carriers: Sequence[str] = ()) -> Iterator[Cell]:
    """Row by row. Raises WrongUse for patterns and carriers that mean nothing."""
    for carrier in carriers:
        if carrier not in CARRIERS:
            raise WrongUse(f"--carrier {carrier}: there are {', '.join(CARRIERS)}")
    for row in rows(only):
        for carrier in carriers or CARRIERS:
            yield cell(row, carrier)


def cell(row: str, carrier: str) -> Cell:
    """The cell of a row, which is a fault as people write it, or several with a semicolon between."""
    specs = tuple(_timed(text, number) for number, text in enumerate(row.split(";")))
    kinds = [fault_kinds()[spec.name] for spec in specs]
    network = next((_network(kind) for kind in kinds if issubclass(kind, PacketFault)), "none")
    why_not = next(
        filter(None, (_why_not(kind, spec, carrier) for kind, spec in zip(kinds, specs, strict=True))), ""
    )
    return Cell(row, specs, carrier, network, why_not)


def trials(kind: type[Fault[object]]) -> tuple[str, ...]:
    """In which forms a fault is tried: its own, or else its example without times."""
    if kind.trials:
        return kind.trials
    example = parse_fault(kind.example)
    value = "" if example.value is None else f"={example.value}"
    where = f" on {example.target}" if kind.pulls == SERVER and example.target != "*" else ""
    return (f"{kind.name}{value}{where}",)


def _timed(text: str, number: int) -> FaultSpec:
    at_s = BEGINS_S + number * _NEXT_S
    instantaneous = fault_kinds()[text.split()[0].partition("=")[0]].instantaneous
    lasts = "" if instantaneous else f" for {LASTS_S - number * _NEXT_S:g}s"
    return parse_fault(f"{text} at {at_s:g}s{lasts}")


def _network(kind: type[PacketFault]) -> str:
    return WIRE if WIRE in kind.networks else kind.networks[0]


def _why_not(kind: type[Fault[object]], spec: FaultSpec, carrier: str) -> str:
    if carrier != LADDER and kind.needs_ladder:
        return "clients are told an address and ask nobody"
    if kind.pulls == PROXIES:
        if spec.target == SCHEDULER:
            return "" if carrier == LADDER else "there is no scheduler to ask"
        if carrier == LADDER:
            return "a scheduler names the true access points, not those of a proxy"
    if spec.target == "access" and carrier not in PROCESSES:
        return "what comes that way is held by the process that stores"
    return kind.silent_over(carrier) if kind.pulls != NETWORK else ""


def _is_like(pattern: str, trial: str, name: str) -> bool:
    return fnmatchcase(name, pattern) or fnmatchcase(trial, pattern)
