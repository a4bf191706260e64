import pytest

from ledger.result import Verdict

HEALTHY = {"planned": 1000, "started": 1000, "late": 0}


def sample(at_s=1, lag=1.0, cpu_s=0.0, pause=None, **sends):
    return {
        "process": "g",
        "role": "generator",
        "at_ns": at_s * 10**9,
        "loop_lag_ms": lag,
        "collector_pause_ms": pause,
        "cpu_s": cpu_s,
        "sends": HEALTHY | sends,
    }


def test_a_generator_that_keeps_up_passes(judge):
    result = judge("generator", "", samples=[sample(1, pause=3.5), sample(2, cpu_s=0.25, pause=0.5)])
    assert result.verdict is Verdict.PASS
    assert result.figures["collector_pause_max_ms"] == 3.5
    assert (result.figures["cpu_share_max"], result.figures["achieved"]) == (0.25, 1.0)
    assert result.figures["overloaded"] is False


@pytest.mark.parametrize(
    ("overload", "reason"),
    [
        (
            {"lag": 1250.0},
            "overloaded: loop lag of 1250 ms (limit 1000), loop lag p99 of 1250 ms (limit 100)",
        ),
        ({"lag": 150.0}, "overloaded: loop lag p99 of 150 ms (limit 100)"),
        ({"late": 20}, "overloaded: 2.0% of sends late (limit 1.0%)"),
        ({"started": 980}, "overloaded: 2.0% not sent (limit 1.0%)"),
    ],
)
def test_an_overloaded_generator_is_unknown_and_says_why(judge, overload, reason):
    result = judge("generator", "", samples=[sample(1, **overload)])
    assert (result.verdict, result.reason) == (Verdict.UNKNOWN, reason)
    assert result.figures["overloaded"] is True


def test_one_spike_is_no_overload_but_a_second_without_any_turn_is(judge):
    spike, standstill = (
        [*(sample(second) for second in range(1, 30)), sample(30, lag)] for lag in (900, 1100)
    )
    assert judge("generator", "", samples=spike).figures["overloaded"] is False
    assert judge("generator", "", samples=standstill).figures["overloaded"] is True


def test_lag_outside_the_load_is_not_held_against_it(judge):
    result = judge("generator", "", samples=[sample(1), sample(101, lag=900.0)])
    assert result.verdict is Verdict.PASS


def test_no_samples_are_unknown(judge):
    assert not judge("generator", "").checked
