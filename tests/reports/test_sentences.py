"""The sentence under each chart says what the frames say that it was drawn from."""

from collections.abc import Callable
from typing import Any

import pytest

from ledger.run_folder import Fault
from reports.build import show
from reports.chart import all_charts
from reports.evidence import Evidence
from reports.telling import plain

S = 1_000_000_000
Tell = Callable[..., Evidence]
Message = Callable[..., list[dict[str, Any]]]


def sentence(name: str, evidence: Evidence, summary: dict[str, Any] | None = None) -> str:
    """Of the chart of this name, which must also draw without an error."""
    chart = next(one for one in all_charts() if one.name == name)
    shown = show(chart, evidence, summary or {})
    assert not shown.error, f"{name} could not be drawn: {shown.error}"
    return plain(shown.sentence)


def test_roll_call_counts_what_the_summary_counts(tell: Tell) -> None:
    figures = {
        "sent": 1200,
        "acked": 1199,
        "expected": 2400,
        "ok": 2390,
        "recovered": 2,
        "late": 6,
        "lost": 2,
    }
    told = sentence("roll_call", tell([]), {"checks": {"completeness": figures}})
    assert "1,200 messages sent, 1,199 acknowledged" in told
    assert "of 2,400 expected deliveries 2,398" in told
    assert "2 lost" in told


def test_without_messages_heartbeats_are_called(tell: Tell) -> None:
    beats = {"due": 1200, "sent": 1190, "answered": 1100, "late": 3, "missed": 2}
    told = sentence("roll_call", tell([]), {"heartbeats": beats})
    assert told.startswith("No message was sent. 1,200 heartbeats were due, 1,190 sent and 1,100 answered")


def test_latency_peaks_where_the_slow_delivery_was_planned(tell: Tell, message: Message) -> None:
    rows = [*message(1, 1.0, 0.02), *message(2, 2.0, 0.02), *message(3, 5.0, 1.5)]
    told = sentence("latency_over_time", tell(rows, [Fault("slow", "", 104 * S, 107 * S)]))
    assert "20 ms in the median second" in told
    assert "peaks at 1.5 s around 5 s, during slow" in told


def test_percentiles_are_those_of_the_deliveries(tell: Tell, message: Message) -> None:
    rows = [row for n in range(1, 100) for row in message(n, n / 20, 0.01)] + message(100, 5.0, 3.0)
    told = sentence("spectrum", tell(rows))
    assert told.startswith("Of 100 deliveries half took at most 10 ms")
    assert "the slowest 3 s" in told


def test_latency_counts_from_the_plan_and_not_from_the_start(tell: Tell, message: Message) -> None:
    rows = message(1, 1.0, 0.5)
    rows[0]["planned_s"] = 0.0
    assert "the slowest 1.5 s" in sentence("spectrum", tell(rows))


def test_each_route_is_counted(tell: Tell, message: Message) -> None:
    rows = [
        *message(1, 1.0, 0.01),
        *message(2, 2.0, 2.01, code=2),
        *message(3, 3.0, 4.0, via="pull"),
        *message(4, 4.0, 4.0, via="pull"),
    ]
    told = sentence("raw_deliveries", tell(rows))
    assert "1 (25 %) pushed at once at a median of 10 ms" in told
    assert "1 (25 %) push repeated at a median of 2.01 s" in told
    assert "2 (50 %) pulled at a median of 4 s" in told


def test_a_thinned_cloud_says_so(tell: Tell, message: Message) -> None:
    rows = [row for n in range(1, 1502) for row in message(n, n / 200, 0.01)]
    assert "Drawn: 751 of 1,501" in sentence("raw_deliveries", tell(rows))


def test_what_never_arrives_stays_in_flight(tell: Tell, message: Message) -> None:
    told = sentence("in_flight", tell([*message(1, 1.0, None), *message(2, 2.0, 0.01)]))
    assert "at the end 1 delivery is still due" in told


def test_what_is_late_leaves_the_flight_at_zero(tell: Tell, message: Message) -> None:
    told = sentence("in_flight", tell([*message(1, 1.0, 5.0), *message(2, 2.0, 4.0)]))
    assert told.startswith("At most 2 deliveries were due at once")
    assert "at the end it is 0" in told


def test_a_send_of_which_nothing_is_known_is_not_in_flight(tell: Tell, message: Message) -> None:
    told = sentence("in_flight", tell(message(1, 1.0, None, acked=False)))
    assert "at the end it is 0" in told


def test_a_missing_delivery_is_put_down_to_its_fault(tell: Tell, message: Message) -> None:
    faults = [Fault("frame_loss", "", 102 * S, 104 * S), Fault("reset", "", 106 * S, 106 * S)]
    rows = [*message(1, 1.0, 0.01), *message(2, 3.0, None), *message(3, 6.5, 0.01)]
    told = sentence("fault_outcomes", tell(rows, faults))
    assert told.startswith("1 missing from sends during frame loss")


def test_the_conversation_that_misses_a_message_leads(tell: Tell, message: Message) -> None:
    told = sentence("sequences", tell([*message(1, 1.0, None), *message(2, 2.0, 0.25)]))
    assert "1 delivery missing in the worst 1 conversation; u0:u1 leads with 1" in told


def test_without_a_missing_message_the_slowest_conversation_leads(tell: Tell, message: Message) -> None:
    told = sentence("sequences", tell([*message(1, 1.0, 0.01), *message(2, 2.0, 0.25)]))
    assert "No delivery is missing" in told
    assert "u0:u1 leads with 250 ms" in told


@pytest.fixture
def lost_and_found(tell: Tell) -> Evidence:
    """Device 0 lost its connection and took another path at the second attempt; device 1 never came back."""
    return tell(
        [
            {"at_s": 2.0, "event": "closed", "device": 0, "via": "tcp:14000", "code": 2},
            {"at_s": 2.5, "event": "connect_failed", "device": 0, "via": "tcp:14000"},
            {"at_s": 3.0, "event": "login", "device": 0, "via": "tcp:443", "code": 2},
            {"at_s": 4.0, "event": "closed", "device": 1, "via": "tcp:14000", "code": 3},
        ]
    )


def test_downtime_runs_from_loss_to_login(lost_and_found: Evidence) -> None:
    told = sentence("downtime", lost_and_found)
    assert told.startswith("2 connections lost: half were back within 1 s")
    assert "0 came back at the first attempt" in told
    assert "1 never came back" in told


def test_leaving_on_purpose_is_no_downtime(tell: Tell) -> None:
    evidence = tell(
        [
            {"at_s": 1.0, "event": "offline", "device": 0},
            {"at_s": 1.0, "event": "closed", "device": 0, "via": "tcp:14000", "code": 1},
            {"at_s": 3.0, "event": "online", "device": 0},
            {"at_s": 3.1, "event": "login", "device": 0, "via": "tcp:14000", "code": 1},
            {"at_s": 5.0, "event": "closed", "device": 1, "via": "tcp:14000", "code": 10},
        ]
    )
    assert "No connection was lost" in sentence("downtime", evidence)


def test_another_path_is_counted_as_such(lost_and_found: Evidence) -> None:
    told = sentence("paths", lost_and_found)
    assert "1 of 1 return (100 %) took another path, most of them tcp:14000 → tcp:443 (1)" in told
    assert "1 try to connect failed" in told


def test_the_ways_in_are_counted_by_port_and_carrier(tell: Tell) -> None:
    ways = ["tcp:443", "tcp:443", "tcp:443", "longpoll:80 through a proxy"]
    logins = [
        {"at_s": 1.0 + n, "event": "login", "device": n, "via": via, "code": 1} for n, via in enumerate(ways)
    ]
    told = sentence("ways_in", tell(logins))
    assert told == "tcp:443 took 3 of 6 logins (50 %); there were 3 ways in all."


def samples() -> list[dict[str, Any]]:
    """Two generators and a server over six seconds."""
    return [
        {
            "process": f"generator-{g}", "role": "generator", "at_ns": (99 + second) * S + g, "pid": g,
            "rss_bytes": 50_000_000 + 2_000 * 10 * second, "cpu_s": 0.25 * second, "fds": 9,
            "loop_lag_ms": 250.0 if (g, second) == (1, 3) else 2.0, "connections": 10 * second, "target": 60,
            "opened": 10 * second, "failed": second, "dropped": 0,
            "beats": {"due": 20 * second, "answered": 19 * second, "late": 0, "missed": second},
            "histograms": {"heartbeat": beat(2_000 if second < 5 else 9_000)},
        }
        for second in range(1, 7)
        for g in (0, 1)
    ]  # fmt: skip


def beat(microseconds: int) -> str:
    return f"{microseconds}:1"


def test_connections_add_up_over_the_processes(tell: Tell) -> None:
    told = sentence("connections", tell([], samples=samples()))
    assert told.startswith("120 of 120 planned connections were open at the peak (5 s)")
    assert "120 were opened in all, 20 in the busiest second, 12 tries failed" in told


def test_late_work_is_what_started_late(tell: Tell, message: Message) -> None:
    rows = [*message(1, 1.0, 0.01), *message(2, 2.0, 0.01), *message(3, 3.0, 0.01, acked=False)]
    rows[0]["planned_s"] = 0.9
    told = sentence("offered", tell(rows))
    assert told.startswith("3 messages were started")
    assert "1 (33 %) more than 50 ms after their plan, the latest by 100 ms; 2 were acknowledged" in told


def test_heartbeats_add_up_and_the_slow_second_is_named(tell: Tell) -> None:
    told = sentence("heartbeats", tell([], samples=samples()))
    assert "240 heartbeats were due: 228 answered, 0 late, 12 missed (5 %)" in told
    assert "round trip is 2 ms in the median second" in told
    assert "peaks at 4 s with 9" in told


def test_the_slope_of_memory_is_bytes_a_connection(tell: Tell) -> None:
    told = sentence("resources", tell([], samples=samples()))
    assert "2 KB a connection on the way up" in told
    assert "0.50 cores in the busiest second" in told


def test_a_stalled_generator_is_named(tell: Tell) -> None:
    told = sentence("generator", tell([], samples=samples()))
    assert "250 ms in the worst (generator-1, 2 s)" in told
    assert "1 second above 200 ms" in told


@pytest.mark.parametrize("chart", all_charts(), ids=lambda chart: chart.name)
def test_a_chart_with_nothing_to_show_says_so(chart: Any, tell: Tell) -> None:
    shown = show(chart, tell([]), {})
    assert shown.wide is None
    assert shown.sentence
    assert not shown.error
