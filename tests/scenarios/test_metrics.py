"""What a swarm measures of itself, and that it is what Locust and the conductor know."""

import sys
from typing import Any

import pytest
from locust import argument_parser
from locust.env import Environment
from prometheus_client.parser import text_string_to_metric_families

from metrics.exposition import exposition
from metrics.metric import described
from scenarios import measured as swarm_metrics
from scenarios.measured import measured, offer
from scenarios.parts import take_part
from scenarios.totals import Totals

TOTALS: dict[str, Any] = {
    "connections": 190, "target": 200, "processes": 2,
    "messages": {"sent": 12, "acked": 11, "delivered": 30}, "beats": {"sent": 7, "answered": 6},
    "deliveries": {"expected": 33, "owed": 3, "overdue": 1}, "connects": {"opened": 201, "failed": 1},
    "sends": {"planned": 13, "started": 12, "late": 0},
    "health": {"loop_lag_ms": 12.0, "cpu_share": 0.25, "rss_bytes": 4096},
}  # fmt: skip


@pytest.fixture
def told() -> dict[tuple[str, ...], float]:
    environment = Environment()
    totals = Totals(environment.stats)
    for seconds in (0.002, 0.004, 0.3):
        totals.add("RECV", "deliver", seconds)
    totals.fail("SEND", "acknowledge", "403 no")
    totals.flush()
    text = exposition(measured(environment, TOTALS, ["frame_loss 3%", "frame_loss 3%"]))
    return {
        (sample.name.removeprefix("chatproof_swarm_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_totals_are_told_by_outcome(told: dict[tuple[str, ...], float]) -> None:
    assert told[("connections",)] == 190
    assert told[("messages_total", "acked")] == 11
    assert told[("heartbeats_total", "answered")] == 6
    assert told[("deliveries_owed", "in_flight")] == 2
    assert told[("deliveries_owed", "overdue")] == 1
    assert told[("fault_active", "frame_loss 3%")] == 1
    assert told[("loop_lag_seconds",)] == 0.012


def test_latencies_are_those_of_locusts_statistics(told: dict[tuple[str, ...], float]) -> None:
    buckets = {
        key[2]: value for key, value in told.items() if key[:2] == ("latency_seconds_bucket", "deliver")
    }
    assert (buckets["0.0025"], buckets["0.005"], buckets["0.25"], buckets["0.5"]) == (1, 2, 2, 3)
    assert told[("latency_seconds_count", "deliver")] == 3
    assert told[("latency_seconds_sum", "deliver")] == pytest.approx(0.306, abs=0.01)
    assert told[("errors_total", "acknowledge")] == 1
    assert told[("latency_seconds_count", "acknowledge")] == 0


def test_every_metric_that_is_described_is_told(told: dict[tuple[str, ...], float]) -> None:
    names = {
        metric.name.removeprefix(swarm_metrics._P)
        for metric in described()
        if metric.name.startswith(swarm_metrics._P)
    }
    found = {key[0].removesuffix("_bucket").removesuffix("_sum").removesuffix("_count") for key in told}
    assert names == found


@pytest.mark.parametrize("base", ["", "/load"])
def test_they_are_on_locusts_web_port(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["locust"])
    options = argument_parser.get_parser().parse_args(["--web-base-path", base] if base else [])
    environment = Environment(parsed_options=options)
    environment.create_local_runner()
    take_part(environment)
    web_ui = environment.create_web_ui(web_base_path=base or None, delayed_start=True)
    offer(environment, web_ui)
    assert web_ui.app is not None
    answer = web_ui.app.test_client().get(f"{base}/metrics")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=0.0.4")
    names = {family.name for family in text_string_to_metric_families(answer.text)}
    assert "chatproof_swarm_connections" in names


def test_without_a_page_there_is_nothing_to_offer() -> None:
    offer(Environment())
