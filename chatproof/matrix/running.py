"""One cell: a run of its own, from the plan to what the ledger says."""

import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from chatproof.errors import CannotRun
from chatproof.matrix.cells import BEGINS_S, LASTS_S, Cell
from chatproof.plan import NetworkPlan, Plan, Target, as_toml
from ledger.errors import LedgerError
from ledger.run_folder import RunFolder
from reports.errors import ReportError
from reports.evidence import Evidence
from reports.opening import opened
from reports.recovery import recoveries

AFTER_S = 10.0
"""Clients come back after up to eight seconds (HBT.6); until then the load goes on."""
_STANDSTILL_S = 3.0
_TRIES = 3
_RAMP_S = 1.0
_HEARTBEAT_S = 5
_LIMIT_S = 300.0
_LOOK_S = 2.0
PASS, FAIL, CANNOT, EMPTY = "pass", "fail", "cannot", "n/a"


@dataclass(frozen=True, slots=True)
class Size:
    """Of each cell's run. `after_s`: for how long the load goes on when the fault is over."""

    connections: int = 500
    rate: float = 200.0
    seed: int = 1
    after_s: float = AFTER_S


@dataclass(slots=True)
class Outcome:
    """`word`: PASS, FAIL, CANNOT (the machine cannot; `why` says what is missing) or EMPTY (`why` not).

    `recovered_s`: from the end of the fault until no more was under way than before it; None if that was
    not seen. `kept_up`: whether the generator did. `figures`: sent, acked, rejected, lost,
    duplicated, out_of_order.
    """

    cell: Cell
    word: str
    why: str = ""
    recovered_s: float | None = None
    took_s: float = 0.0
    figures: dict[str, int] = field(default_factory=dict)
    folder: Path | None = None
    kept_up: bool = True


def plan_of(cell: Cell, size: Size) -> Plan:
    """The run of a cell."""
    return Plan(
        name=cell.name,
        duration=BEGINS_S + LASTS_S + size.after_s,
        connections=size.connections,
        rate=size.rate,
        seed=size.seed,
        ramp=_RAMP_S,
        target=Target(carrier=cell.carrier, access_processes=cell.access_processes),
        network=NetworkPlan(kind=cell.network),
        swarm={"heartbeat": _HEARTBEAT_S, "away_share": 0.0},
        fault=[spec.as_mapping() for spec in cell.faults],
    )


def outcome_of(cell: Cell, size: Size, folder: Path) -> Outcome:
    """What becomes of a cell; its run folder is `folder`. Raises CannotRun when nothing can be written.

    A run during which the machine stood still (suspended, or stopped by somebody else) proves nothing about
    the fault, and is made again; so is one that failed while the generator was overloaded.
    """
    if cell.why_not:
        return Outcome(cell, EMPTY, cell.why_not)
    for number in range(1, _TRIES + 1):
        place = folder if number == 1 else folder.with_name(f"{folder.name}-{number}")
        outcome, stood_still = _run(cell, size, place)
        hesitated = outcome.word == FAIL and not outcome.kept_up
        if not (stood_still or _stood_still(place) or hesitated):
            return outcome
    why = "; ".join(filter(None, [f"the machine did not keep up in any of {_TRIES} runs", outcome.why]))
    return replace(outcome, word=FAIL, why=why)


def outcomes_of(trials: Iterable[tuple[Cell, Size]], folder: Path, jobs: int = 1) -> Iterator[Outcome]:
    """What becomes of each, in their order, `jobs` of them at a time; each has a run folder below `folder`.

    Whoever closes the iterator waits for those that are under way; the others are not begun any more.
    """
    with ThreadPoolExecutor(jobs) as executor:
        waiting = [executor.submit(outcome_of, cell, size, folder / cell.name) for cell, size in trials]
        try:
            for each in waiting:
                yield each.result()
        finally:
            executor.shutdown(wait=False, cancel_futures=True)


def _run(cell: Cell, size: Size, folder: Path) -> tuple[Outcome, bool]:
    """Also whether the machine stood still meanwhile, as far as this process could notice."""
    plan = folder.with_suffix(".toml")
    try:
        plan.parent.mkdir(parents=True, exist_ok=True)
        plan.write_text(as_toml(plan_of(cell, size)))
    except OSError as error:
        raise CannotRun(f"{plan}: {error.strerror}; choose another folder with --out") from error
    began = time.monotonic()
    words = [sys.executable, "-m", "chatproof", "run", str(plan), "--out", str(folder), "--no-report"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        said, stood_s = _said(process)
    took_s = time.monotonic() - began - stood_s
    last = (said.strip().splitlines() or ["it said nothing"])[-1].removeprefix("chatproof: ")
    if process.returncode in (0, 1) and RunFolder(folder).summary.exists():
        outcome = _judged(cell, folder, took_s)
    elif took_s > _LIMIT_S:
        outcome = Outcome(cell, FAIL, f"the run did not end within {_LIMIT_S:.0f} s", folder=folder)
    else:
        word = CANNOT if process.returncode == 3 else FAIL
        outcome = Outcome(cell, word, last, took_s=took_s, folder=folder)
    return outcome, stood_s > 0


def _said(process: "subprocess.Popen[str]") -> tuple[str, float]:
    """All that it said, and for how long everything here stood still meanwhile; it is told to end in time."""
    began, stood_s, looked = time.monotonic(), 0.0, time.monotonic()
    while True:
        try:
            said, _ = process.communicate(timeout=_LOOK_S)
        except subprocess.TimeoutExpired:
            now = time.monotonic()
            if now - looked > _LOOK_S + _STANDSTILL_S:
                stood_s += now - looked - _LOOK_S
            looked = now
            if now - began - stood_s > _LIMIT_S:
                process.terminate()
                return process.communicate()[0], stood_s
        else:
            return said, stood_s


def _stood_still(folder: Path) -> bool:
    """Whether the run missed seconds; it writes a sample each."""
    file = RunFolder(folder).processes / "machine.jsonl"
    if not file.exists():
        return False
    at_ns = [int(msgspec.json.decode(line)["at_ns"]) for line in file.read_bytes().splitlines() if line]
    return any(later - earlier > _STANDSTILL_S * 1e9 for earlier, later in pairwise(at_ns))


def _judged(cell: Cell, folder: Path, took_s: float) -> Outcome:
    try:
        with opened(folder) as (evidence, summary):
            recovered = _recovered_s(evidence)
            figures, why = _figures(summary["checks"]), _trouble(summary)
            kept_up = not summary["checks"]["generator"].get("overloaded")
    except (ReportError, LedgerError) as error:
        return Outcome(cell, FAIL, str(error), took_s=took_s, folder=folder)
    return Outcome(
        cell,
        FAIL if why else PASS,
        why,
        recovered,
        took_s,
        figures,
        folder,
        kept_up,
    )


def _recovered_s(evidence: Evidence) -> float | None:
    """Of all faults the longest; where others began before one was over with, that of the last one."""
    found = [each.backlog_s for each in recoveries(evidence)]
    known = [each for each in found if each is not None]
    if len(known) == len(found):
        return max(known, default=None)
    last = max(range(len(found)), key=lambda nth: evidence.bands[nth].end_s)
    return found[last]


def _figures(checks: dict[str, Any]) -> dict[str, int]:
    every, order = checks["completeness"], checks["ordering"]
    return {
        **{name: every[name] for name in ("sent", "acked", "rejected", "lost", "duplicated")},
        "out_of_order": order["violations"],
    }


def _trouble(summary: Mapping[str, Any]) -> str:
    """Why a run is no success, "" if it is: the first check that does not pass, and faults that failed."""
    failed = [fault["detail"]["error"] for fault in summary["faults"] if "error" in fault["detail"]]
    bad = [
        f"{name}: {check['reason'] or _first_witness(check)}"
        for name, check in summary["checks"].items()
        if check["verdict"] == "fail" or (check["verdict"] != "pass" and name in ("completeness", "ordering"))
    ]
    return "; ".join([*failed, *bad])


def _first_witness(check: dict[str, Any]) -> str:
    witnesses = check.get("witnesses") or []
    return str(witnesses[0]["text"]) if witnesses else "failed"


def as_json(outcomes: list[Outcome], size: Size) -> bytes:
    """The result for machines."""
    cells = [
        {
            "fault": outcome.cell.row,
            "carrier": outcome.cell.carrier,
            "network": outcome.cell.network,
            "result": outcome.word,
            "why": outcome.why,
            "recovered_s": outcome.recovered_s,
            "took_s": round(outcome.took_s, 1),
            **outcome.figures,
            "folder": None if outcome.folder is None else outcome.folder.name,
        }
        for outcome in outcomes
    ]
    told = {"connections": size.connections, "rate": size.rate, "seed": size.seed, "cells": cells}
    return msgspec.json.format(msgspec.json.encode(told), indent=1)
