"""From results to matrix.html."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from conformance.catalogue import Clause, in_order
from conformance.results import Results
from conformance.verdicts import CaseResult, ClauseResult, Verdict

_HERE = Path(__file__).parent
_LINE_CHARS = 240
_LINES_OF_PASSED = 15
_SIGNS = {
    Verdict.PASS: "✓",
    Verdict.FAIL: "✗",
    Verdict.UNKNOWN: "?",
    Verdict.NOT_OFFERED: "–",
    Verdict.NO_CASE: "",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One clause over one carrier of one target, and the name of its page. `standard`: of the target, if it
    has one."""

    target: str
    carrier: str
    anchor: str
    result: ClauseResult
    standard: str = ""

    @property
    def verdict(self) -> Verdict:
        return self.result.verdict

    @property
    def has_page(self) -> bool:
        """Whether there is anything to say about it."""
        return bool(self.result.cases) or self.result.promise is not None

    @property
    def passed(self) -> int:
        """How many of its cases did."""
        return sum(case.verdict is Verdict.PASS for case in self.result.cases)

    @property
    def tried(self) -> int:
        """How many of its cases applied."""
        return sum(case.verdict is not Verdict.NOT_OFFERED for case in self.result.cases)


@dataclass(frozen=True, slots=True)
class Row:
    """One clause: its cells in the order of the columns."""

    clause: Clause
    cells: Sequence[Cell]

    @property
    def is_tried(self) -> bool:
        """Whether any case has looked at it, of whatever target."""
        return any(cell.result.cases for cell in self.cells)


def write(found: Sequence[Results], path: Path) -> None:
    """One matrix of all results, a group of columns each. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(found), "utf-8")


def page(found: Sequence[Results]) -> str:
    """The whole of matrix.html."""
    rows = _rows(found)
    environment = Environment(
        loader=FileSystemLoader(_HERE), undefined=StrictUndefined, autoescape=True, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"title": title, "paragraphs": paragraphs, "shown": shown}
    return environment.get_template("matrix.html").render(
        style=Markup((_HERE / "style.css").read_text("utf-8")),
        found=found,
        families=_families([row for row in rows if row.is_tried]),
        unchecked=[row.clause for row in rows if not row.is_tried],
        headlines=[headline(results) for results in found],
        signs=_SIGNS,
        Verdict=Verdict,
    )


def headline(results: Results) -> tuple[str, str]:
    """What came out, in a word for colours and in a sentence."""
    counts = Counter(result.verdict for result in results.clauses)
    over = (
        f"over {len(results.carriers)} carriers"
        if len(results.carriers) > 1
        else f"over {results.carriers[0]}"
    )
    noted = sum(bool(result.notes) for result in results.clauses)
    kept = f"{counts[Verdict.PASS]} clauses kept{f', {noted} with notes' if noted else ''}, {over}"
    parts = [
        f"{counts[verdict]} {word}"
        for verdict, word in ((Verdict.FAIL, "broken"), (Verdict.UNKNOWN, "undecided"))
        if counts[verdict]
    ]
    tone = "fail" if counts[Verdict.FAIL] else "unknown" if counts[Verdict.UNKNOWN] else "pass"
    return tone, ", ".join([*parts, kept])


def title(case: CaseResult) -> str:
    """The name of a case as words."""
    name, bracket, values = case.title.partition("[")
    return name.removeprefix("test_").replace("_", " ") + (f" [{values}" if bracket else "")


def paragraphs(description: str) -> Sequence[Sequence[str]]:
    """A description's paragraphs, each as what is done and what is expected ("" where it says nothing)."""
    split = []
    for paragraph in re.split(r"\n\s*\n", description.strip()):
        done, word, expected = paragraph.partition("Expected:")
        split.append((" ".join(done.split()), f"{word} {' '.join(expected.split())}" if word else ""))
    return split


def shown(case: CaseResult) -> Sequence[str]:
    """The log of a case: all of it, or of one that passed the beginning and the end."""
    lines = [line if len(line) <= _LINE_CHARS else f"{line[:_LINE_CHARS]} …" for line in case.log]
    left_out = len(lines) - 2 * _LINES_OF_PASSED
    if case.verdict is not Verdict.PASS or left_out <= 0:
        return lines
    middle = f"{'':8}  … {left_out:,} lines left out"
    return [*lines[:_LINES_OF_PASSED], middle, *lines[-_LINES_OF_PASSED:]]


def _rows(found: Sequence[Results]) -> list[Row]:
    clauses: dict[str, Clause] = {}
    cells: dict[str, list[Cell]] = {}
    by_target = [{result.clause.id: result for result in results.clauses} for results in found]
    for of_target in by_target:
        clauses |= {name: result.clause for name, result in of_target.items()}
    for name, clause in clauses.items():
        for number, (results, of_target) in enumerate(zip(found, by_target, strict=True)):
            whole = of_target.get(name, ClauseResult(clause, ()))
            if name not in of_target and results.promises is not None:
                whole = ClauseResult(clause, (), results.promises.of(name))
            for carrier in results.carriers:
                anchor = f"{name}-{carrier}-{number}" if len(found) > 1 else f"{name}-{carrier}"
                standard = "" if results.promises is None else results.promises.standard
                cell = Cell(results.target, carrier, anchor, whole.over(carrier), standard)
                cells.setdefault(name, []).append(cell)
    return [Row(clauses[name], cells[name]) for name in sorted(clauses, key=in_order)]


def _families(rows: Sequence[Row]) -> Mapping[str, list[Row]]:
    families: dict[str, list[Row]] = {}
    for row in rows:
        families.setdefault(row.clause.family, []).append(row)
    return families
