"""What a run of the suite leaves behind, and how it is read again.

conformance.json
  schema        2
  target        URLs, or "reference server" when the suite started one
  seed          what cases rolled their dice from
  carriers      those that the cases ran over, in order
  clauses       by id: level, text, verdict (the worst of its carriers), carriers
    carriers    by name: verdict, cases
      cases     name, verdict, duration_s, message (why, one line or ""), and if there are any: notes (what
                the target's own standard allows and our clause would not have), by (where that standard
                says what the case looks at)
    promise     of a target that speaks a protocol with a standard of its own: promise ("as it stands",
                "in other words" or "none"), text, by, allows
  standard      of such a target: what `by` refers to
  descriptions  by name of a case: what it does and what is expected

wire/CARRIER.jsonl, beside it: a line a case, {"name", "log"}.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import msgspec

from conformance.catalogue import in_order, load
from conformance.promises import Promise, Promises
from conformance.verdicts import CaseResult, ClauseResult, Verdict, by_clause

SCHEMA = 2


class ResultsUnusable(Exception):
    """A file that is no conformance.json of this version; one line that says which and why."""


@dataclass(frozen=True, slots=True)
class Results:
    """Of one target. `globs`: the clauses that were asked for, all if there are none. `promises`: those of
    the target's own standard, if it has one."""

    target: str
    seed: int
    carriers: Sequence[str]
    cases: Sequence[CaseResult]
    globs: Sequence[str] = ()
    promises: Promises | None = None

    @property
    def clauses(self) -> list[ClauseResult]:
        """Every clause that was asked for, in order of id."""
        wanted = [
            clause
            for clause in sorted(load().values(), key=lambda clause: in_order(clause.id))
            if not self.globs or any(fnmatchcase(clause.id, glob) for glob in self.globs)
        ]
        return by_clause(wanted, self.cases, self.promises)


def document(results: Results) -> Mapping[str, Any]:
    """The contents of conformance.json, as in the heading of this file."""
    promises = results.promises
    standard = {} if promises is None else {"dialect": promises.dialect, "standard": promises.standard}
    return {
        "schema": SCHEMA,
        "target": results.target,
        "seed": results.seed,
        **standard,
        "carriers": list(results.carriers),
        "clauses": {
            result.clause.id: {
                "level": result.clause.level.value,
                "text": result.clause.text,
                "verdict": result.verdict.value,
                **({} if result.promise is None else {"promise": msgspec.to_builtins(result.promise)}),
                "carriers": {
                    carrier: _over(result.over(carrier)) for carrier in results.carriers if result.cases
                },
            }
            for result in results.clauses
        },
        "descriptions": {case.name: case.description for case in results.cases},
    }


def write_json(results: Results, path: Path) -> None:
    """Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document(results), indent=2, ensure_ascii=False) + "\n", "utf-8")


def write_logs(results: Results, folder: Path) -> None:
    """`wire/CARRIER.jsonl` in the folder. Raises OSError."""
    (folder / "wire").mkdir(parents=True, exist_ok=True)
    for carrier in results.carriers:
        lines = [
            json.dumps({"name": case.name, "log": list(case.log)}, ensure_ascii=False)
            for case in results.cases
            if case.carrier == carrier
        ]
        _log_path(folder, carrier).write_text("".join(f"{line}\n" for line in lines), "utf-8")


def read(path: Path) -> Results:
    """A conformance.json again, with the logs beside it if they are there. Raises ResultsUnusable."""
    try:
        content = json.loads(path.read_bytes())
        if content["schema"] != SCHEMA:
            raise ResultsUnusable(f"{path}: schema {content['schema']}, and only {SCHEMA} is known")
        found: dict[tuple[str, str], CaseResult] = {}
        for clause, of_clause in content["clauses"].items():
            for carrier, over in of_clause["carriers"].items():
                for case in over["cases"]:
                    key = (carrier, case["name"])
                    before = found[key].clauses if key in found else ()
                    found[key] = CaseResult(
                        **case,
                        carrier=carrier,
                        clauses=(*before, clause),
                        description=content["descriptions"][case["name"]],
                    )
        logs = {carrier: _read_log(_log_path(path.parent, carrier)) for carrier in content["carriers"]}
        cases = [
            msgspec.structs.replace(case, verdict=Verdict(case.verdict), log=logs[carrier].get(name, ()))
            for (carrier, name), case in found.items()
        ]
        return Results(
            content["target"],
            content["seed"],
            content["carriers"],
            cases,
            list(content["clauses"]),
            _read_promises(content),
        )
    except OSError as error:
        raise ResultsUnusable(f"{path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, msgspec.ValidationError) as error:
        raise ResultsUnusable(f"{path}: not a conformance.json: {error!r}") from error


def _read_promises(content: Mapping[str, Any]) -> Promises | None:
    if "standard" not in content:
        return None
    found = {name: msgspec.convert(of["promise"], Promise) for name, of in content["clauses"].items()}
    return Promises(content["dialect"], content["standard"], found)


def _over(result: ClauseResult) -> Mapping[str, Any]:
    return {
        "verdict": result.verdict.value,
        "cases": [
            {
                "name": case.name,
                "verdict": case.verdict.value,
                "duration_s": round(case.duration_s, 3),
                "message": case.message,
                **({"notes": list(case.notes)} if case.notes else {}),
                **({"by": list(case.by)} if case.by else {}),
            }
            for case in result.cases
        ],
    }


def _log_path(folder: Path, carrier: str) -> Path:
    return folder / "wire" / f"{carrier}.jsonl"


def _read_log(path: Path) -> Mapping[str, Sequence[str]]:
    if not path.exists():
        return {}
    lines: Iterable[Any] = map(json.loads, path.read_text("utf-8").splitlines())
    return {line["name"]: line["log"] for line in lines}
