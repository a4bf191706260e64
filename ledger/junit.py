"""junit.xml: a test case a check and a threshold, made from summary.json alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as xml

from ledger.errors import LedgerError

OUTCOME = {"fail": "failure", "unknown": "error"}


def junit(summary: Mapping[str, Any]) -> str:
    """A failed check is a failure, an unknown one an error (as both end with exit code 1), one that had
    nothing to check is skipped; a threshold that was missed is a failure. Witnesses are the text."""
    suite = xml.Element("testsuite", name=f"chatproof.{summary['scenario']}", time=str(summary["duration_s"]))
    for name, check in summary["checks"].items():
        case = xml.SubElement(suite, "testcase", classname="chatproof.checks", name=name)
        if not check["checked"]:
            xml.SubElement(case, "skipped", message=check["reason"])
        elif check["verdict"] in OUTCOME:
            problem = xml.SubElement(case, OUTCOME[check["verdict"]], message=check["reason"])
            problem.text = "\n".join(_lines(check["witnesses"]))
    for threshold in summary["thresholds"]:
        case = xml.SubElement(
            suite, "testcase", classname="chatproof.thresholds", name=threshold["expression"]
        )
        if not threshold["ok"]:
            xml.SubElement(case, "failure", message=threshold.get("error") or f"it was {threshold['value']}")
    for kind, attribute in (
        ("testcase", "tests"),
        ("failure", "failures"),
        ("error", "errors"),
        ("skipped", "skipped"),
    ):
        suite.set(attribute, str(len(list(suite.iter(kind)))))
    xml.indent(suite)
    return xml.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def write_junit(path: Path, summary: Mapping[str, Any]) -> None:
    """Raises LedgerError if the file cannot be written."""
    try:
        path.write_text(junit(summary), encoding="utf-8")
    except OSError as error:
        raise LedgerError(f"cannot write {path}: {error.strerror}") from error


def _lines(witnesses: list[dict[str, Any]]) -> list[str]:
    lines = []
    for witness in witnesses:
        lines.append(witness["text"])
        lines += [
            "  " + " ".join(f"{name}={value}" for name, value in row.items()) for row in witness["rows"]
        ]
    return lines
