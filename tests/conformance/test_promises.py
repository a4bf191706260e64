"""What a protocol's own standard promises: the files beside the dialects, and what cases make of them."""

import re
from pathlib import Path

import pytest

import conformance
from conformance.catalogue import load
from conformance.deviations import Judge
from conformance.promises import Kind, Promise, Promises, PromisesError, parse, promises_of
from conformance.verdicts import CaseResult, Verdict, by_clause
from drivers.registered import known_dialects

FILE = """
standard = "Morse"
[DLV.2]
promise = "in other words"
by = ["Morse 7"]
text = "Whoever hears nothing says it again."
allows.twice = { by = ["Morse 8"], text = "nobody knows it again", unless = "key=2" }
[UNR.1]
promise = "none"
text = "Nobody counts"
"""


def test_a_file_says_what_is_promised_and_what_is_not() -> None:
    promises = parse("morse", FILE, "morse.toml")
    assert promises.lacks("DLV.2") is None
    assert promises.lacks("UNR.1") == "Nobody counts"
    assert promises.lacks("STO.1") == "Morse promises nothing of the kind"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", 'standard = "…" is missing'),
        ('standard = "x"\n[DLV.99]\npromise = "none"\ntext = ""', "no clause DLV.99"),
        ('standard = "x"\n[DLV.1]\npromise = "as it stands"\ntext = ""', "DLV.1: by = […] is missing"),
        ('standard = "x"\n[DLV.1]\npromise = "perhaps"\ntext = ""', "perhaps"),
        ('standard = "x"\n[DLV.1]\npromise = "none"\ntext = ""\nbuy = 1', "buy"),
        ("standard", "x.toml"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(text: str, complaint: str) -> None:
    with pytest.raises(PromisesError, match=re.escape(complaint)):
        parse("x", text, "x.toml")


def test_what_the_standard_forbids_fails_and_what_it_allows_is_noted() -> None:
    promises, notes = parse("morse", FILE, "morse.toml"), list[str]()
    judge = Judge(promises, frozenset(), notes)
    judge(True, "anything", "does not matter")
    assert not notes
    judge(False, "twice", "came twice")
    assert notes == ["came twice; allowed: nobody knows it again (Morse 8)"]
    with pytest.raises(AssertionError, match="came late"):
        judge(False, "late", "came late")
    with pytest.raises(AssertionError, match="came twice"):
        Judge(promises, frozenset({"key=2"}), notes)(False, "twice", "came twice")
    with pytest.raises(AssertionError, match="came twice"):
        Judge(None, frozenset(), notes)(False, "twice", "came twice")


def test_a_clause_that_is_not_promised_is_not_offered_without_a_case() -> None:
    clauses = [load()["DLV.2"], load()["UNR.1"], load()["DLV.1"]]
    promised = {name: Promise(Kind.SAME, "", ("x",)) for name in ("DLV.1", "DLV.2")}
    case = CaseResult("a", "tcp", ["DLV.2"], Verdict.PASS, 0.0, "", "", notes=["one", "one"])
    found = by_clause(clauses, [case], Promises("x", "X", promised))
    assert [result.verdict for result in found] == [Verdict.PASS, Verdict.NOT_OFFERED, Verdict.NO_CASE]
    assert found[0].notes == ("one",)


@pytest.mark.parametrize("name", sorted(known_dialects()))
def test_every_dialect_has_a_file_that_can_be_read(name: str) -> None:
    dialect = known_dialects()[name]
    promises = promises_of(dialect)
    assert (promises is None) == (name == "chat")
    if promises is not None:
        for clause, promise in promises.promises.items():
            needs = set(load()[clause].needs) - dialect.offers
            assert promise.promise is Kind.NONE or not needs, f"{clause} is promised, {needs} is not offered"


def test_what_is_allowed_is_what_a_case_may_find() -> None:
    folder = Path(conformance.__file__).parent
    source = "".join(path.read_text() for path in [*folder.glob("*.py"), *folder.glob("cases/*.py")])
    for dialect in known_dialects().values():
        promises = promises_of(dialect)
        for promise in promises.promises.values() if promises else ():
            for name in promise.allows:
                assert f'"{name}"' in source, f"{dialect.name} allows {name}, which no case looks for"
