"""The plugin on small case files: what becomes of a case, a clause, the exit code and the files."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest

pytest_plugins = ("pytester",)

EVERY_VERDICT = '''
import pytest
from conformance.verdicts import Undecided, not_offered
from drivers.pumps.wire import Expected

@pytest.mark.clause("DLV.1")
def test_passes():
    """What it does."""

@pytest.mark.clause("DLV.2")
def test_asserts():
    assert 1 == 2, "expected one"

@pytest.mark.clause("DLV.2")
def test_passes_beside():
    pass

@pytest.mark.clause("DLV.3")
def test_misses_something():
    raise Expected("expected a frame")

@pytest.mark.clause("DLV.4")
def test_cannot_decide():
    raise Undecided("no clock")

@pytest.mark.clause("DLV.5")
def test_breaks():
    {}["nothing"]

@pytest.mark.clause("DLV.6")
def test_does_not_apply():
    not_offered("no second device")

@pytest.fixture
def broken():
    raise OSError("no disk")

@pytest.mark.clause("DLV.7")
def test_has_no_chance(broken):
    pass
'''


def run(pytester: pytest.Pytester, source: str, *arguments: str) -> tuple[pytest.RunResult, dict[str, Any]]:
    pytester.makepyfile(test_some=source)
    result = pytester.runpytest_subprocess(
        "-p", "conformance.plugin", "--conformance-json", "result.json", *arguments
    )
    path = pytester.path / "result.json"
    return result, json.loads(path.read_text()) if path.exists() else {}


def verdicts(document: dict[str, Any]) -> dict[str, str]:
    return {
        name: clause["verdict"]
        for name, clause in document["clauses"].items()
        if clause["verdict"] != "no case"
    }


def test_each_way_to_end_has_its_verdict(pytester: pytest.Pytester) -> None:
    result, document = run(pytester, EVERY_VERDICT, "--seed", "7")
    assert verdicts(document) == {
        "DLV.1": "pass",
        "DLV.2": "fail",
        "DLV.3": "fail",
        "DLV.4": "unknown",
        "DLV.5": "unknown",
        "DLV.6": "not offered",
        "DLV.7": "unknown",
    }
    assert (document["schema"], document["seed"], document["target"]) == (2, 7, "reference server")
    assert result.ret == 1


def test_a_case_is_told_with_its_reason_and_its_description(pytester: pytest.Pytester) -> None:
    result, document = run(pytester, EVERY_VERDICT)
    by_name = {
        case["name"].rpartition("::")[2]: case
        for clause in document["clauses"].values()
        for over in clause["carriers"].values()
        for case in over["cases"]
    }
    assert document["descriptions"]["test_some.py::test_passes"] == "What it does."
    assert by_name["test_asserts"]["message"] == "expected one"
    assert by_name["test_cannot_decide"]["message"] == "Undecided: no clock"
    assert by_name["test_does_not_apply"]["message"] == "no second device"
    result.stdout.re_match_lines(
        [
            r"DLV\.2 +MUST +fail +2 cases",
            r" +fail: test_asserts: expected one",
            r"DLV\.6 +MUST +not offered +1 case",
            r"no case: ARC\.1 .*",
            r"2 fail, 3 unknown, 1 pass, 1 not offered, 56 no case",
        ]
    )


def test_clauses_go_into_junit(pytester: pytest.Pytester) -> None:
    source = "import pytest\n@pytest.mark.clause('DLV.1', 'ORD.2')\ndef test_two(): pass"
    run(pytester, source, "--junitxml", "junit.xml")
    properties = ElementTree.parse(pytester.path / "junit.xml").iter("property")
    assert [(p.get("name"), p.get("value")) for p in properties] == [
        ("clause", "DLV.1"),
        ("clause", "ORD.2"),
        ("carrier", "tcp"),
    ]


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("def test_free(): pass", "test_free: a case names its clause"),
        (
            "import pytest\n@pytest.mark.clause('DLV.99')\ndef test_odd(): pass",
            "test_odd: the catalogue has no clause 'DLV.99'",
        ),
        ("import pytest\n@pytest.mark.clause()\ndef test_none(): pass", "test_none: a case names its clause"),
    ],
)
def test_a_case_without_a_known_clause_is_refused(
    pytester: pytest.Pytester, source: str, complaint: str
) -> None:
    result, _ = run(pytester, source)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert complaint in result.stderr.str()


SHOULD_FAILS = "import pytest\n@pytest.mark.clause('HBT.5')\ndef test_costs(): assert False, 'expected less'"


def test_a_broken_should_counts_only_when_it_is_required(pytester: pytest.Pytester) -> None:
    result, document = run(pytester, SHOULD_FAILS)
    assert (result.ret, verdicts(document)) == (0, {"HBT.5": "fail"})
    result, _ = run(pytester, SHOULD_FAILS, "--require", "SHOULD")
    assert result.ret == 1


def test_what_could_not_be_decided_is_not_passed(pytester: pytest.Pytester) -> None:
    result, _ = run(pytester, EVERY_VERDICT, "--clause", "DLV.1", "--clause", "DLV.5")
    assert result.ret == 3


def test_patterns_choose_cases_and_clauses(pytester: pytest.Pytester) -> None:
    result, document = run(pytester, EVERY_VERDICT, "--clause", "DLV.[16]", "--clause", "ORD.*")
    assert verdicts(document) == {"DLV.1": "pass", "DLV.6": "not offered"}
    assert all(name.startswith(("DLV", "ORD")) for name in document["clauses"])
    assert result.ret == 0


NEEDS = """
import pytest

@pytest.mark.clause("UNR.1")
def test_counts(): pass

@pytest.mark.clause("SEC.3")
def test_encrypts(): pass

@pytest.mark.clause("ORD.1")
def test_order(): pass
"""


def test_a_clause_is_not_offered_where_a_capability_is_missing(pytester: pytest.Pytester) -> None:
    _, document = run(pytester, NEEDS, "--without", "unread")
    assert verdicts(document) == {"UNR.1": "not offered", "SEC.3": "not offered", "ORD.1": "pass"}
    reason = document["clauses"]["UNR.1"]["carriers"]["tcp"]["cases"][0]["message"]
    assert reason == "the target does not offer unread (--without unread)"


def accounts(path: Path, blocks: int) -> Path:
    names = [f"u{number}" for number in range(10)]
    block = {
        "users": [{"user": name, "token": "t"} for name in names],
        "friends": names[:7],
        "strangers": names[7:],
        "group": "g:one",
        "group_members": names[:5],
        "outsiders": names[5:7],
    }
    path.write_bytes(msgspec.json.encode({"format": 1, "blocks": [block] * blocks}))
    return path


TAKES_BLOCKS = """
import pytest

@pytest.mark.clause("DLV.1")
@pytest.mark.parametrize("turn", [1, 2, 3])
def test_takes_one(block, turn):
    assert len(block.pick(7)) == 7, "expected seven friends"
"""


def test_a_case_without_a_block_left_is_unknown(pytester: pytest.Pytester) -> None:
    file = accounts(pytester.path / "accounts.json", 2)
    target = ("--target", "chat+tcp://127.0.0.1:9", "--accounts", str(file))
    result, document = run(pytester, TAKES_BLOCKS, *target)
    assert [case["verdict"] for case in document["clauses"]["DLV.1"]["carriers"]["tcp"]["cases"]] == [
        "pass",
        "pass",
        "unknown",
    ]
    result.stdout.fnmatch_lines(["*the accounts file has too few blocks for 3 cases*"])


def test_a_server_of_somebody_else_is_not_restarted(pytester: pytest.Pytester) -> None:
    file = accounts(pytester.path / "accounts.json", 1)
    source = "import pytest\n@pytest.mark.clause('DLV.2')\ndef test_restart(server): pass"
    target = ("--target", "chat+tcp://127.0.0.1:9", "--accounts", str(file))
    result, document = run(pytester, source, *target)
    assert verdicts(document) == {"DLV.2": "not offered"}
    result.stdout.fnmatch_lines(["*not started by us*"])


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--target", "chat+tcp://127.0.0.1:9"), "--target needs --accounts FILE; make one with"),
        (("--target", "smoke://x", "--accounts", "none.json"), "the scheme 'smoke' is none of"),
        (("--target", "chat+tcp://x", "--accounts", "none.json"), "none.json: No such file"),
    ],
)
def test_wrong_use_is_told_in_one_line(
    pytester: pytest.Pytester, arguments: tuple[str, ...], complaint: str
) -> None:
    result, _ = run(pytester, NEEDS, *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert complaint in result.stderr.str()
    assert "Traceback" not in result.stderr.str()


OVER_SOME = """
import pytest

@pytest.mark.clause("DLV.1")
@pytest.mark.only_over("ws", "wss", why="it is about WebSocket")
def test_sockets(): pass

@pytest.mark.clause("DLV.2")
@pytest.mark.once("nothing is connected")
def test_alone(): pass

@pytest.mark.clause("DLV.3")
def test_everywhere(target): assert target.carrier in ("tcp", "ws"), "expected a carrier"
"""


@pytest.mark.parametrize(
    ("carrier", "sockets", "alone"),
    [
        ("tcp", ("not offered", "only over ws, wss: it is about WebSocket"), ("pass", "")),
        ("ws", ("pass", ""), ("not offered", "ran with tcp: nothing is connected")),
    ],
)
def test_a_case_says_over_which_carriers_it_makes_sense(
    pytester: pytest.Pytester, carrier: str, sockets: tuple[str, str], alone: tuple[str, str]
) -> None:
    _, document = run(pytester, OVER_SOME, "--over", "tcp", "--over", "ws", "--carrier", carrier)
    found = [
        (case["verdict"], case["message"])
        for clause in ("DLV.1", "DLV.2", "DLV.3")
        for case in document["clauses"][clause]["carriers"][carrier]["cases"]
    ]
    assert found == [sockets, alone, ("pass", "")]
