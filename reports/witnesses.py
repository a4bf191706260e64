"""The witnesses of a run: from the summary if it carries them, else by asking the checks again."""

from reports.chart import Summary
from reports.evidence import Evidence
from reports.tables import Witness, witness


def witnesses(evidence: Evidence, summary: Summary) -> list[Witness]:
    """The smallest evidence for each failure, in the order of the checks."""
    return [
        witness(evidence, name, found.get("text", ""), found.get("rows", []))
        for name, check in (summary.get("checks") or {}).items()
        for found in check.get("witnesses") or []
    ]
