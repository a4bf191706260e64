"""summary.json, the contract with CI: keys are never renamed, more may be added, `schema` counts changes.

A run's verdict is the worst of the checks that had something to check: a run without a fault is not unknown
for want of reconnections. Its main check (completeness; heartbeat for the scenario of that name) must have
had something to check, or the run is unknown: what proved nothing has not passed.

An overloaded generator says so first and makes the latencies invalid, but takes nothing from what was proved
of the messages: its check does not count for the run's verdict.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from ledger.checks import run_checks
from ledger.clocks import machines_of, uncertainty_ns
from ledger.errors import ThresholdError
from ledger.figures import BEATS, Costs, peak, totals
from ledger.latency import latencies
from ledger.reader import Ledger
from ledger.result import Result, Verdict, worst
from ledger.thresholds import Threshold
from ledger.wire import on_the_wire

SCHEMA = 1
LEFT_OUT_UNCHECKED = ("durability", "machines")
"""Checks that only some runs are about."""


def summarise(
    ledger: Ledger, results: Mapping[str, Result], thresholds: Sequence[Threshold]
) -> dict[str, Any]:
    """The content of summary.json for these results of `run_checks`.

    Beyond the documented keys: `interrupted`, `latency_valid` (false if the generator was overloaded), each
    check's `reason` and `witnesses`, `killed` (processes that did not close their ledger),
    `clock_uncertainty_ms` (of times of different machines beside each other; 0 on one), `wire` (bytes both
    ways, see `ledger.wire`).
    """
    environment, phases = ledger.environment, ledger.phases
    scenario = environment.get("scenario")
    connections = _connections(ledger.samples)
    beats = totals(ledger.samples, "beats", BEATS)
    overloaded = "generator" in results and bool(results["generator"].figures.get("overloaded"))
    summary: dict[str, Any] = {
        "schema": SCHEMA,
        "verdict": overall(results, scenario).value,
        "target": environment.get("target"),
        "scenario": scenario,
        "seed": environment.get("seed"),
        "duration_s": _seconds(phases.settle_end_ns or phases.load_end_ns, phases.start_ns),
        "interrupted": phases.interrupted,
        "killed": list(ledger.killed),
        "checks": {
            name: _check(result) for name, result in _in_order(results, overloaded) if _shown(name, result)
        },
        "latency_ms": latencies(ledger),
        "latency_valid": not overloaded,
        "connections": connections,
        "heartbeats": beats,
        "generator": _side(ledger, "generator", connections["peak"]),
        "server": _side(ledger, "server", connections["peak"]),
        "clock_uncertainty_ms": uncertainty_ns(machines_of(environment)) / 1e6,
        "wire": on_the_wire(ledger),
        "machine": Costs.of(ledger.samples, "machine").machine(connections["peak"]),
        "faults": [
            {
                "name": fault.name,
                "target": fault.target,
                "start_s": _seconds(fault.start_ns, phases.start_ns),
                "end_s": _seconds(fault.end_ns, phases.start_ns),
                "detail": fault.detail,
            }
            for fault in ledger.faults
        ],
    }
    return summary | {"thresholds": [_evaluated(threshold, summary) for threshold in thresholds]}


def overall(results: Mapping[str, Result], scenario: str | None) -> Verdict:
    """The run's verdict, as the top of this module says."""
    about_server = {name: result for name, result in results.items() if name != "generator"}
    main = results.get("heartbeat" if scenario == "heartbeat" else "completeness")
    verdict = worst(result.verdict for result in about_server.values() if result.checked)
    if main is None or not main.checked:
        return worst([verdict, Verdict.UNKNOWN])
    return verdict


def exit_code(summary: Mapping[str, Any]) -> int:
    """0: all passed; 1: failed or unknown; 99: a threshold was missed though every check passed."""
    if summary["verdict"] != Verdict.PASS:
        return 1
    return 0 if all(threshold["ok"] for threshold in summary["thresholds"]) else 99


def empty_summary() -> dict[str, Any]:
    """The summary of a run in which nothing happened: which figures a threshold can name."""
    nothing = Ledger.from_rows([], devices=[], conversations=[], members=[])
    return summarise(nothing, run_checks(nothing), [])


def _in_order(results: Mapping[str, Result], overloaded: bool) -> list[tuple[str, Result]]:
    return sorted(results.items(), key=lambda one: (not (overloaded and one[0] == "generator"), one[0]))


def _shown(name: str, result: Result) -> bool:
    return result.checked or name not in LEFT_OUT_UNCHECKED


def _check(result: Result) -> dict[str, Any]:
    witnesses = [{"text": witness.text, "rows": list(witness.rows)} for witness in result.witnesses]
    verdict = {"verdict": result.verdict.value, "reason": result.reason, "checked": result.checked}
    return verdict | result.figures | {"witnesses": witnesses}


def _connections(samples: pl.DataFrame) -> dict[str, int]:
    generators = samples.filter(pl.col("role") == "generator")
    counts = totals(generators, "", ("opened", "failed", "dropped"))
    return {"target": peak(generators, "target"), "peak": peak(generators, "connections")} | counts


def _side(ledger: Ledger, role: str, connections: int) -> dict[str, Any]:
    """What the generator or the server cost; CPU a heartbeat over the load alone, without connecting and
    settling."""
    phases = ledger.phases
    load = ledger.samples.filter(pl.col("at_ns").is_between(phases.load_start_ns, phases.load_end_ns))
    answered = Costs.of(load, "generator").spans("beats_answered")
    cpu_s = Costs.of(load, role).spans("cpu_s")
    figures = Costs.of(ledger.samples, role).figures(connections)
    return figures | {"cpu_us_per_heartbeat": cpu_s / answered * 1e6 if answered else None}


def _evaluated(threshold: Threshold, summary: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return threshold.evaluate(summary)
    except ThresholdError as error:
        # The run is over and must be summed up; a path that means nothing is a limit that was not kept.
        return {"expression": threshold.expression, "ok": False, "value": None, "error": str(error)}


def _seconds(at_ns: int, since_ns: int) -> float:
    return round((at_ns - since_ns) / 1e9, 3)
