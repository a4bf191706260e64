import json
from xml.etree import ElementTree as xml

import pytest

from ledger.checks import Options, run_checks
from ledger.errors import ThresholdError
from ledger.histograms import Histograms, as_text
from ledger.junit import junit
from ledger.result import Result, Verdict, Witness, nothing, worst
from ledger.summary import empty_summary, exit_code, overall, summarise
from ledger.thresholds import parse, paths

GOOD = """
1.0 send      anna/1 a1
1.1 acked     anna/1 a1 seq=1 ver=1
1.2 delivered bo/1   a1 seq=1 ver=1 via=push
9.0 settled   anna/1 ver=1
9.0 settled   bo/1   ver=1
"""
PASSED = Result(Verdict.PASS)
FAILED = Result(Verdict.FAIL)


@pytest.fixture
def summary_of(history):
    def make(text, *thresholds, **more):
        ledger = history(text, **more)
        return summarise(
            ledger, run_checks(ledger, Options()), [parse(expression) for expression in thresholds]
        )

    return make


def test_the_worst_verdict_wins():
    assert worst([Verdict.PASS, Verdict.UNKNOWN]) is Verdict.UNKNOWN
    assert worst([Verdict.UNKNOWN, Verdict.FAIL, Verdict.PASS]) is Verdict.FAIL
    assert worst([]) is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("results", "scenario", "verdict"),
    [
        ({"completeness": PASSED, "reconnection": nothing("")}, "chat", "pass"),
        ({"completeness": nothing(""), "heartbeat": PASSED}, "chat", "unknown"),
        ({"completeness": nothing(""), "heartbeat": PASSED}, "heartbeat", "pass"),
        ({"completeness": nothing(""), "heartbeat": FAILED}, "chat", "fail"),
        ({"completeness": PASSED, "generator": Result(Verdict.UNKNOWN)}, "chat", "pass"),
        ({"completeness": nothing(""), "generator": PASSED}, "chat", "unknown"),
    ],
)
def test_checks_without_anything_to_check_count_only_if_the_run_was_about_them(results, scenario, verdict):
    assert overall(results, scenario) == verdict


def test_a_good_run_is_summed_up_in_the_documented_form(summary_of):
    environment = {"target": "embedded", "scenario": "chat", "seed": 3}
    summary = summary_of(GOOD, environment=environment, faults="loss 10 20")
    assert (summary["schema"], summary["verdict"], summary["target"], summary["seed"]) == (
        1,
        "pass",
        "embedded",
        3,
    )
    assert summary["duration_s"] == 100.0
    assert summary["checks"]["completeness"]["ok"] == 1
    assert summary["latency_ms"]["deliver"] == {
        "count": 1, "p50": 200.0, "p90": 200.0, "p99": 200.0, "p999": 200.0, "max": 200.0,
    }  # fmt: skip
    assert summary["latency_ms"]["ack"]["p50"] == 100.0
    assert summary["faults"] == [
        {"name": "loss", "target": "server", "start_s": 10.0, "end_s": 20.0, "detail": {}}
    ]
    assert "durability" not in summary["checks"]
    assert json.loads(json.dumps(summary)) == summary


def test_quantiles_are_exact(summary_of):
    lines = [
        f"{n} send anna/1 a{n}\n{n + n / 1000} delivered bo/1 a{n} seq={n} ver={n}" for n in range(1, 51)
    ]
    deliver = summary_of("\n".join(lines))["latency_ms"]["deliver"]
    assert (deliver["count"], deliver["p50"], deliver["p90"], deliver["max"]) == (50, 25.0, 45.0, 50.0)


def test_latencies_of_connections_come_from_the_histograms_of_all_seconds(summary_of):
    histograms = Histograms()
    samples = []
    for at in (1, 2):
        histograms.record("login", at / 1000)
        samples.append(
            {"process": "g", "at_ns": at, "histograms": {"login": as_text(histograms.flush()["login"])}}
        )
    login = summary_of(GOOD, samples=samples)["latency_ms"]["login"]
    assert (login["count"], login["max"]) == (2, pytest.approx(2.0, rel=0.001))


def test_an_overloaded_generator_comes_first_and_marks_the_latencies_but_not_the_messages(summary_of):
    sample = {"process": "g", "role": "generator", "at_ns": 10**9, "loop_lag_ms": 500.0}
    summary = summary_of(GOOD, samples=[sample])
    assert (summary["latency_valid"], summary["verdict"]) == (False, "pass")
    assert next(iter(summary["checks"])) == "generator"
    assert summary_of(GOOD)["latency_valid"] is True


def test_a_missed_threshold_of_a_run_that_passed_has_its_own_exit_code(summary_of):
    kept = summary_of(GOOD, "latency_ms.deliver.p99 < 500", "checks.completeness.lost == 0")
    assert [threshold["ok"] for threshold in kept["thresholds"]] == [True, True]
    assert exit_code(kept) == 0
    missed = summary_of(GOOD, "latency_ms.deliver.p99 < 100")
    assert missed["thresholds"] == [
        {"expression": "latency_ms.deliver.p99 < 100", "ok": False, "value": 200.0}
    ]
    assert exit_code(missed) == 99


def test_a_run_that_did_not_pass_ends_with_one(summary_of):
    assert exit_code(summary_of(GOOD.replace("delivered", "repeated"))) == 1
    assert exit_code(summary_of("")) == 1


def test_a_figure_without_a_value_keeps_no_limit(summary_of):
    assert not summary_of("", "latency_ms.deliver.p99 < 500")["thresholds"][0]["ok"]


@pytest.mark.parametrize("expression", ["", "p99", "p99 < fast", "a.b ~ 3", "a b < 3", "a < 3 ms"])
def test_a_threshold_that_cannot_be_parsed_is_one_line(expression):
    with pytest.raises(ThresholdError, match="is not understood; write <figure> <comparison> <number>"):
        parse(expression)


@pytest.mark.parametrize(
    ("comparison", "ok"), [("<", False), ("<=", True), ("==", True), (">=", True), (">", False)]
)
def test_every_comparison(comparison, ok):
    assert parse(f"a.b {comparison} 2.0").evaluate({"a": {"b": 2}})["ok"] is ok


def test_a_threshold_on_an_unknown_figure_names_those_that_are_near(summary_of):
    with pytest.raises(ThresholdError, match=r"no figure latency\.deliver\.p99; .*latency_ms\.deliver\.p99"):
        parse("latency.deliver.p99 < 500").evaluate(empty_summary())
    late = summary_of(GOOD, "latency.deliver.p99 < 500")["thresholds"][0]
    assert not late["ok"]
    assert "latency_ms.deliver.p99" in late["error"]


def test_the_empty_summary_has_the_documented_figures():
    documented = (
        "checks.completeness.repeats_suppressed", "checks.ordering.violations", "latency_ms.reconnect.p999",
        "connections.dropped", "heartbeats.missed", "generator.cpu_us_per_heartbeat", "server.cpu_s",
    )  # fmt: skip
    assert set(documented) <= dict(paths(empty_summary())).keys()


def test_a_check_that_breaks_is_unknown_with_its_traceback(history, monkeypatch):
    def broken(ledger, options):
        raise ZeroDivisionError("of the check")

    monkeypatch.setattr("ledger.checks._checks", {"completeness": broken})
    monkeypatch.setattr("ledger.checks.__path__", [])
    result = run_checks(history(GOOD))["completeness"]
    assert (result.verdict, result.reason) == (
        Verdict.UNKNOWN,
        "the check itself failed: ZeroDivisionError: of the check",
    )
    assert "in broken" in result.witnesses[0].text


def test_junit_has_a_case_a_check_and_a_threshold(summary_of):
    lost = GOOD.replace("delivered", "repeated").replace("a1 seq=1 ver=1 via", "a9 seq=9 ver=1 via")
    suite = xml.fromstring(
        junit(summary_of(lost, "latency_ms.ack.p50 < 1", environment={"scenario": "chat"}))
    )
    cases = {case.get("name"): [child.tag for child in case] for case in suite}
    assert cases["completeness"] == ["failure"]
    assert cases["ordering"] == []
    assert cases["reconnection"] == ["skipped"]
    assert cases["latency_ms.ack.p50 < 1"] == ["failure"]
    assert (suite.get("name"), suite.get("failures"), suite.get("tests")) == ("chatproof.chat", "2", "7")
    assert "message 1 of anna/1" in suite.find("testcase/failure").text


def test_witnesses_are_in_the_summary(summary_of):
    completeness = summary_of(GOOD.replace("delivered", "repeated"))["checks"]["completeness"]
    assert completeness["witnesses"][0]["rows"][0]["event"] == "send"
    assert Witness("text").rows == ()
