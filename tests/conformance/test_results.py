"""What a run leaves behind: read again it is the same, and both CI and people can read it."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from conformance import pages
from conformance.junit import write_junit
from conformance.pages import building
from conformance.results import Results, ResultsUnusable, read, write_json, write_logs
from conformance.run import merge
from conformance.summary import matrix_lines
from conformance.verdicts import CaseResult, Verdict


def case(carrier: str, verdict: Verdict, name: str = "test_one", *clauses: str) -> CaseResult:
    message = "" if verdict is Verdict.PASS else f"because of {carrier} <b>&\x00"
    return CaseResult(
        f"test_some.py::{name}", carrier, clauses or ("DLV.2",), verdict, 0.5, message,
        "The clause.\n\nIt is done. Expected: that.", (f"   0.001  u1  → over {carrier} <i>",),
    )  # fmt: skip


def results(target: str = "reference server") -> Results:
    return Results(
        target,
        7,
        ["tcp", "tls", "longpoll"],
        [
            case("tcp", Verdict.PASS),
            case("tcp", Verdict.PASS, "test_two[a b]", "DLV.2", "ORD.1"),
            case("tls", Verdict.FAIL),
            case("tls", Verdict.UNKNOWN, "test_two[a b]", "DLV.2", "ORD.1"),
            case("longpoll", Verdict.NOT_OFFERED),
        ],
        ["DLV.2", "ORD.*"],
    )


def test_a_clause_has_a_verdict_over_each_carrier_and_the_worst_of_them(tmp_path: Path) -> None:
    write_json(results(), tmp_path / "conformance.json")
    content = json.loads((tmp_path / "conformance.json").read_text())
    clause = content["clauses"]["DLV.2"]
    assert clause["verdict"] == "fail"
    over = {name: entry["verdict"] for name, entry in clause["carriers"].items()}
    assert over == {"tcp": "pass", "tls": "fail", "longpoll": "not offered"}
    assert content["clauses"]["ORD.3"]["carriers"] == {}
    assert (content["schema"], content["carriers"]) == (2, ["tcp", "tls", "longpoll"])


def test_results_read_again_are_the_same(tmp_path: Path) -> None:
    write_json(results(), tmp_path / "conformance.json")
    write_logs(results(), tmp_path)
    again = read(tmp_path / "conformance.json")
    key = lambda case: (case.carrier, case.name)  # noqa: E731 - sorts two lists
    wanted = sorted(results().cases, key=key)
    for found, one in zip(sorted(again.cases, key=key), wanted, strict=True):
        assert (found.name, found.carrier, tuple(found.clauses)) == (
            one.name,
            one.carrier,
            tuple(one.clauses),
        )
        assert (found.verdict, found.message, tuple(found.log)) == (one.verdict, one.message, tuple(one.log))
        assert found.description == one.description
    assert [clause.verdict for clause in again.clauses] == [clause.verdict for clause in results().clauses]


@pytest.mark.parametrize("content", ["{}", "[", '{"schema": 1, "clauses": {}}'])
def test_another_file_is_refused_in_one_line(
    tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "some.json"
    path.write_text(content)
    with pytest.raises(ResultsUnusable, match=r"some\.json: (schema 1|not a conformance)"):
        read(path)
    assert merge([path], tmp_path) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_junit_has_a_suite_a_carrier_and_properties_a_case(tmp_path: Path) -> None:
    write_junit(results(), tmp_path / "junit.xml")
    suites = ElementTree.parse(tmp_path / "junit.xml").getroot().findall("testsuite")
    counts = [
        (s.get("name"), s.get("tests"), s.get("failures"), s.get("errors"), s.get("skipped")) for s in suites
    ]
    assert counts == [
        ("tcp", "2", "0", "0", "0"),
        ("tls", "2", "1", "1", "0"),
        ("longpoll", "1", "0", "0", "1"),
    ]
    two = suites[0].findall("testcase")[1]
    properties = [(p.get("name"), p.get("value")) for p in two.iter("property")]
    assert properties == [("clause", "DLV.2"), ("clause", "ORD.1"), ("carrier", "tcp")]
    assert suites[1].find("testcase/failure") is not None


def test_each_cell_of_the_matrix_opens_a_page(tmp_path: Path) -> None:
    html = building.page([results()])
    for anchor in ("DLV.2-tcp", "DLV.2-tls", "DLV.2-longpoll", "ORD.1-tls"):
        assert html.count(f'id="{anchor}"') == 1
        assert f'href="#{anchor}"' in html
    assert "over tls &lt;i&gt;" in html
    assert "<i>" not in html
    assert html.count("<details open>") == 3
    assert "two [a b]" in html
    assert "<script" not in html


def test_several_targets_stand_side_by_side(tmp_path: Path) -> None:
    for number, name in enumerate(("one server", "another")):
        write_json(results(name), tmp_path / f"{number}.json")
    assert merge([tmp_path / "0.json", tmp_path / "1.json"], tmp_path / "out") == 0
    html = (tmp_path / "out" / "matrix.html").read_text()
    assert html.count('scope="colgroup"') == 2
    assert 'id="DLV.2-tcp-0"' in html
    assert 'id="DLV.2-tcp-1"' in html


def test_the_page_is_there_for_no_result_at_all(tmp_path: Path) -> None:
    pages.write([Results("x", 1, ["tcp"], [])], tmp_path / "deep" / "matrix.html")
    assert "Without a case so far" in (tmp_path / "deep" / "matrix.html").read_text()


def test_the_table_says_over_which_carrier_what_failed() -> None:
    lines = list(matrix_lines(results()))
    assert any(line.split() == ["DLV.2", "MUST", "pass", "fail", "not", "offered"] for line in lines)
    assert any(line.startswith("        fail over tls: test_one: because of tls") for line in lines)
