"""The checks of heartbeat and reconnection: who was cut off, who came back, and how."""

import pytest

from ledger.result import Verdict

SECOND = 10**9
LOST = "5.0 closed bo/1 via=tcp:14000 code=1\n"


def beating(*missed):
    """A generator's samples, a second apart, with the cumulative count of missed beats."""
    beats = {"due": 10, "sent": 10, "answered": 9, "late": 0}
    return [
        {"process": "g", "role": "generator", "at_ns": at * SECOND, "beats": beats | {"missed": count}}
        for at, count in enumerate(missed, 1)
    ]


def test_beats_that_are_answered_pass(judge):
    result = judge("heartbeat", "", samples=beating(0, 0))
    assert (result.verdict, result.figures["sent"]) == (Verdict.PASS, 10)


def test_no_beats_are_unknown(judge):
    assert not judge("heartbeat", "").checked


def test_a_beating_connection_that_the_server_ends_is_wrongly_cleared(judge):
    result = judge("heartbeat", LOST, samples=beating(0))
    assert (result.verdict, result.figures["wrongly_cleared"]) == (Verdict.FAIL, 1)
    assert result.witnesses[0].text == "bo/1 was cut off by the server while no fault was on, at 5.000 s"
    assert [row["event"] for row in result.witnesses[0].rows] == ["login", "closed"]


@pytest.mark.parametrize(
    "text",
    [
        "5.0 closed bo/1 code=10",
        "5.0 closed bo/1 code=6",
        "5.0 closed bo/1 code=7",
        "4.0 offline bo/1\n" + LOST,
        "4.0 gone_away bo/1 code=0\n" + LOST,
        "4.0 closed bo/1 code=0\n" + LOST,
        "101.0 closed bo/1 code=1",
    ],
    ids=["left", "replaced", "draining", "offline", "told to go", "not logged in", "after the run"],
)
def test_an_end_that_was_wished_or_announced_is_nobodys_fault(judge, text):
    result = judge("heartbeat", text, samples=beating(0))
    assert (result.verdict, result.figures["wrongly_cleared"]) == (Verdict.PASS, 0)


@pytest.mark.parametrize(
    ("fault", "verdict"), [("kill 4.9 5.1", "pass"), ("kill 2.0 3.5", "pass"), ("kill 1.0 2.5", "fail")]
)
def test_a_fault_excuses_until_two_heartbeats_after_its_end(judge, fault, verdict):
    assert judge("heartbeat", LOST, samples=beating(0), faults=fault).verdict == verdict


def test_silence_without_a_fault_fails(judge):
    silent = LOST.replace("code=1", "code=3")
    assert judge("heartbeat", silent, samples=beating(0)).figures["silences_without_fault"] == 1
    assert judge("heartbeat", silent, samples=beating(0), faults="drop 4 6").verdict is Verdict.PASS


def test_beats_may_be_missed_under_faults_only(judge):
    samples = beating(0, 0, 3, 3)
    assert judge("heartbeat", "", samples=samples).figures["missed_without_fault"] == 3
    assert judge("heartbeat", "", samples=samples).verdict is Verdict.FAIL
    assert judge("heartbeat", "", samples=samples, faults="drop 2.5 3.5").verdict is Verdict.PASS


def test_who_comes_back_before_the_end_passes(judge):
    back = "5.5 login bo/1 ver=0 via=tcp:443 code=3\n"
    result = judge("reconnection", LOST + back)
    assert result.verdict is Verdict.PASS
    assert (result.figures["lost"], result.figures["back"], result.figures["away"]) == (1, 1, 0)
    assert result.figures["p50_ms"] == pytest.approx(500)
    assert (result.figures["by_path"], result.figures["fallbacks"]) == ({"tcp:443": 1}, 1)
    assert (result.figures["attempts_max"], result.figures["busiest_second"]) == (3, 1)


def test_the_same_path_is_no_fallback(judge):
    assert judge("reconnection", LOST + "5.5 login bo/1 via=tcp:14000 code=1").figures["fallbacks"] == 0


@pytest.mark.parametrize("later", ["", "101.0 login bo/1 via=tcp:443 code=1"], ids=["never", "after the run"])
def test_who_stays_away_fails_and_is_named(judge, later):
    result = judge("reconnection", LOST + later)
    assert (result.verdict, result.figures["away"]) == (Verdict.FAIL, 1)
    assert result.witnesses[0].text == "bo/1 lost tcp:14000 at 5.000 s and was not back at the end"


def test_who_leaves_on_purpose_afterwards_is_not_away(judge):
    result = judge("reconnection", LOST + "6.0 offline bo/1\n")
    assert (result.verdict, result.figures["left"]) == (Verdict.PASS, 1)


def test_nothing_lost_is_unknown(judge):
    result = judge("reconnection", "5.0 closed bo/1 code=10")
    assert (result.checked, result.reason) == (False, "nothing was lost")
