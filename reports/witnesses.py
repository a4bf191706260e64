"""The witnesses of a run: as the summary tells them, else asked again of the checks that failed."""

from collections.abc import Iterable, Mapping
from typing import Any

from ledger.checks import Options, all_checks
from ledger.result import Verdict
from reports.chart import Summary
from reports.evidence import Evidence
from reports.tables import Witness, witness


def witnesses(evidence: Evidence, summary: Summary) -> list[Witness]:
    """The smallest evidence for each failure, in the order of the checks."""
    return [
        witness(evidence, name, str(told.get("verdict")), text, rows)
        for name, told in (summary.get("checks") or {}).items()
        for text, rows in _told(told) or _asked_again(evidence, name, told)
    ]


def _told(told: Mapping[str, Any]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    return [(found.get("text", ""), found.get("rows") or []) for found in told.get("witnesses") or []]


def _asked_again(
    evidence: Evidence, name: str, told: Mapping[str, Any]
) -> Iterable[tuple[str, list[Mapping[str, Any]]]]:
    check = all_checks().get(name)
    if told.get("verdict") != Verdict.FAIL or check is None:
        return []
    return [(found.text, list(found.rows)) for found in check(evidence.ledger, Options()).witnesses]
