"""Did the ledger of every machine arrive, and how well are their clocks known?"""

from typing import Any

from ledger.checks import Options, register
from ledger.clocks import Machine, machines_of, uncertainty_ns
from ledger.reader import Ledger
from ledger.result import MOST_WITNESSES, Result, Verdict, Witness, nothing

_SURE = (
    "What happened on one machine may lie up to {:.3f} ms earlier or later beside what happened on another, "
    "a fault or a phase of the run. Latencies do not depend on it: both ends of each are on one machine."
)

_ONE_CLOCK = "All of them have the master's own clock."


@register
def check(ledger: Ledger, options: Options) -> Result:
    """Figures: `machines`; their `processes`, and how many ledgers are `missing`; `uncertainty_ms`: by how
    much a time of one machine may be wrong beside one of another, for the worst two; `clocks` by machine:
    `offset_ms` (its clock less the master's, at the beginning), `uncertainty_ms`, `drift_ppm`.

    Latencies do not depend on that: devices that write to each other are a cohort, which is in one process.
    Nothing to check if the whole run was on one machine; unknown, each missing ledger named, if one is.
    """
    machines = machines_of(ledger.environment)
    if not machines:
        return nothing("the whole run was on one machine")
    missing = [(name, process) for name, machine in machines.items() for process in machine.missing]
    figures: dict[str, Any] = {
        "machines": len(machines),
        "processes": sum(len(machine.processes) for machine in machines.values()),
        "missing": len(missing),
        "uncertainty_ms": uncertainty_ns(machines) / 1e6,
        "clocks": {name: _clock(machine) for name, machine in machines.items()},
    }
    if not missing:
        uncertain_ms = figures["uncertainty_ms"]
        return Result(
            Verdict.PASS, figures, reason=_SURE.format(uncertain_ms) if uncertain_ms else _ONE_CLOCK
        )
    witnesses = tuple(
        Witness(f"the ledger of {process} on machine {name} did not arrive")
        for name, process in missing[:MOST_WITNESSES]
    )
    named = ", ".join(process for _, process in missing[:MOST_WITNESSES])
    more = f" and {len(missing) - MOST_WITNESSES} more" if len(missing) > MOST_WITNESSES else ""
    reason = f"of {len(missing)} processes the ledger did not arrive: {named}{more}"
    return Result(Verdict.UNKNOWN, figures, witnesses, reason)


def _clock(machine: Machine) -> dict[str, float]:
    clock = machine.clock
    return {
        "offset_ms": clock.offset_ns / 1e6,
        "uncertainty_ms": clock.uncertainty_ns / 1e6,
        "drift_ppm": round(clock.drift_ppm, 3),
    }
