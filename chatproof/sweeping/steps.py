"""The loads of a ladder, from `1k,5k,20k` on the command line."""

import re
from dataclasses import dataclass

from chatproof.errors import WrongUse

_NUMBER = re.compile(r"(\d+(?:\.\d+)?)([kM]?)")
_TIMES = {"": 1, "k": 1_000, "M": 1_000_000}


@dataclass(frozen=True, slots=True)
class Step:
    """Connections, and messages a second in all."""

    connections: int
    rate: float


def parse_loads(text: str, option: str) -> list[float]:
    """The numbers of a list such as `500,1k,2.5k`. Raises WrongUse."""
    loads = []
    for part in text.split(","):
        match = _NUMBER.fullmatch(part.strip())
        if match is None:
            raise WrongUse(f"{option} {text!r}: write numbers with commas, such as 1k,5k,20k")
        loads.append(float(match[1]) * _TIMES[match[2]])
    return loads


def ladder(connections: str | None, rates: str | None, plan_connections: int, plan_rate: float) -> list[Step]:
    """One step a load, from the smallest. Two lists go side by side; one number stays as it is; what is not
    given is the plan's, its rate growing with the connections, so that each connection does the same.

    Raises WrongUse for lists of different lengths, and where nothing grows.
    """
    if connections is None and rates is None:
        raise WrongUse("a sweep needs --connections 1k,5k,20k or --rate 100,500,2k, or both")
    held = parse_loads(connections, "--connections") if connections else [float(plan_connections)]
    asked = parse_loads(rates, "--rate") if rates else [plan_rate * each / plan_connections for each in held]
    length = max(len(held), len(asked))
    if {len(held), len(asked)} - {1, length}:
        raise WrongUse(
            f"--connections has {len(held)} steps and --rate {len(asked)}: give as many, or one for all"
        )
    held, asked = (each * length if len(each) == 1 else each for each in (held, asked))
    steps = [Step(int(count), round(rate, 3)) for count, rate in zip(held, asked, strict=True)]
    if any(step.connections < 1 for step in steps):
        raise WrongUse("--connections: a step needs at least one connection")
    ordered = sorted(steps, key=lambda step: (step.connections, step.rate))
    if len(set(ordered)) != len(ordered):
        raise WrongUse("each step of a sweep has a load of its own; two of these are the same")
    return ordered
