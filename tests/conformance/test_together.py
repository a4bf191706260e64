"""Cases that wait: side by side, each with a verdict, a log and clients of its own."""

import json

import pytest

pytest_plugins = ("pytester",)

WAITING = """
import gevent
import pytest
from gevent.event import Event

from conformance.verdicts import Undecided, not_offered

pytestmark = [pytest.mark.clause("DLV.1"), pytest.mark.waits]
first, second = Event(), Event()

def test_meets_the_second():
    first.set()
    assert second.wait(60)

def test_meets_the_first():
    second.set()
    assert first.wait(60)

def test_fails(block, phone):
    phone(block.users[0])
    assert 1 == 2, "expected one"

def test_cannot_decide():
    raise Undecided("no clock")

def test_does_not_apply():
    not_offered("nothing to look at")

@pytest.mark.needs("packages")
def test_is_not_even_started():
    raise RuntimeError("it ran")

def test_has_users_of_its_own(block, clients, device, dice, target, web, wire):
    assert block.users[0].user != target.next_block().users[0].user, "expected other users"
"""


def arguments(result: str) -> list[str]:
    return ["-p", "conformance.plugin", "--tell", result, "--without", "packages"]


def test_each_case_has_a_verdict_and_a_log_of_its_own_and_those_that_meet_have_met(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(test_some=WAITING)
    pytester.runpytest_subprocess(*arguments("told.jsonl"))
    told = map(json.loads, (pytester.path / "told.jsonl").read_text().splitlines())
    cases = {case["name"].rpartition("::")[2]: case for case in told}
    verdicts = {name: (case["verdict"], case["message"]) for name, case in cases.items()}
    assert verdicts["test_meets_the_second"] == ("pass", "")
    assert verdicts["test_meets_the_first"] == ("pass", "")
    assert verdicts["test_fails"][0] == "fail"
    assert verdicts["test_fails"][1].startswith("expected one")
    assert verdicts["test_cannot_decide"] == ("unknown", "Undecided: no clock")
    assert verdicts["test_does_not_apply"] == ("not offered", "nothing to look at")
    assert verdicts["test_is_not_even_started"][0] == "not offered"
    assert verdicts["test_has_users_of_its_own"] == ("pass", "")
    assert {name for name, case in cases.items() if any("LOGIN" in line for line in case["log"])} == {
        "test_fails"
    }


def test_a_fixture_that_cannot_be_shared_is_wrong_use(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_some="""
        import pytest

        @pytest.mark.clause("DLV.1")
        @pytest.mark.waits
        def test_restarts(server):
            pass
        """
    )
    result = pytester.runpytest_subprocess(*arguments("told.jsonl"))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*test_restarts: a case that waits cannot have server*"])
