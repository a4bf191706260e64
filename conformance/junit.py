"""JUnit XML for CI systems: a testsuite a carrier, clause ids and carrier as properties of each case."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from conformance.results import Results
from conformance.verdicts import CaseResult, Verdict

_KINDS = {Verdict.FAIL: "failure", Verdict.UNKNOWN: "error", Verdict.NOT_OFFERED: "skipped"}
_COUNTED = {"failures": Verdict.FAIL, "errors": Verdict.UNKNOWN, "skipped": Verdict.NOT_OFFERED}


def write_junit(results: Results, path: Path) -> None:
    """Raises OSError."""
    root = Element("testsuites", name="chatproof conform")
    for carrier in results.carriers:
        _suite(root, results, carrier, [case for case in results.cases if case.carrier == carrier])
    ElementTree.indent(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _suite(root: Element, results: Results, carrier: str, cases: Sequence[CaseResult]) -> None:
    counts = Counter(case.verdict for case in cases)
    suite = SubElement(root, "testsuite", name=carrier, tests=str(len(cases)))
    suite.set("time", f"{sum(case.duration_s for case in cases):.3f}")
    for name, verdict in _COUNTED.items():
        suite.set(name, str(counts[verdict]))
    _properties(suite, [("target", results.target), ("seed", str(results.seed)), ("carrier", carrier)])
    for case in cases:
        _case(suite, case)


def _case(suite: Element, case: CaseResult) -> None:
    file = case.name.partition("::")[0].rpartition("/")[2].removesuffix(".py")
    element = SubElement(suite, "testcase", classname=f"{case.carrier}.{file}", name=case.title)
    element.set("time", f"{case.duration_s:.3f}")
    _properties(element, [*(("clause", clause) for clause in case.clauses), ("carrier", case.carrier)])
    if case.verdict in _KINDS:
        SubElement(element, _KINDS[case.verdict], message=_allowed(case.message))
    if case.verdict in (Verdict.FAIL, Verdict.UNKNOWN) and case.log:
        SubElement(element, "system-out").text = _allowed("\n".join(case.log))


def _properties(parent: Element, pairs: Sequence[tuple[str, str]]) -> None:
    properties = SubElement(parent, "properties")
    for name, value in pairs:
        SubElement(properties, "property", name=name, value=value)


def _allowed(text: str) -> str:
    """XML has no way to write most control characters."""
    return "".join(sign if sign >= " " or sign in "\n\t" else "�" for sign in text)
