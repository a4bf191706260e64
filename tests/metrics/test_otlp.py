"""What a collector gets."""

import builtins
import logging
from typing import Any

import pytest

from metrics.metric import Kind, Metric, Point
from metrics.otlp import OtlpError, OtlpExport, endpoint_of, unit_of

LEVEL = Metric("test_level_bytes", Kind.GAUGE, "How full.", ("who",))
COUNT = Metric("test_things_total", Kind.COUNTER, "How many.")
SPREAD = Metric("test_took_seconds", Kind.HISTOGRAM, "How long.", (), (0.1, 1.0))
EMPTY = Metric("test_nobody", Kind.GAUGE, "Nobody knows.")


def families() -> list[Any]:
    return [
        LEVEL.of(Point(("a",), 2.5)),
        COUNT.value(7),
        SPREAD.of(SPREAD.spread({0.05: 2, 3.0: 1})),
        EMPTY.of(),
    ]


def test_kinds_units_labels_and_values_arrive(collector: Any) -> None:
    export = OtlpExport(collector.url, families, {"service.name": "test"}, interval_s=0.01)
    export.start()
    # The collector is in another thread: this one has to let the hub go round.
    import gevent

    with gevent.Timeout(60):
        while collector.received.empty():
            gevent.sleep(0.01)
    export.stop()
    path, request = collector.received.get_nowait()
    assert path == "/v1/metrics"
    (resource,) = request.resource_metrics
    assert {each.key: each.value.string_value for each in resource.resource.attributes}[
        "service.name"
    ] == "test"
    found = {metric.name: metric for scope in resource.scope_metrics for metric in scope.metrics}
    assert set(found) == {"test_level_bytes", "test_things_total", "test_took_seconds"}
    (level,) = found["test_level_bytes"].gauge.data_points
    assert (level.as_double, found["test_level_bytes"].unit) == (2.5, "By")
    assert {each.key: each.value.string_value for each in level.attributes} == {"who": "a"}
    count = found["test_things_total"].sum
    assert (count.is_monotonic, count.aggregation_temporality) == (True, 2)
    assert count.data_points[0].as_int == 7 or count.data_points[0].as_double == 7.0
    (spread,) = found["test_took_seconds"].histogram.data_points
    assert (list(spread.bucket_counts), list(spread.explicit_bounds)) == ([2, 0, 1], [0.1, 1.0])
    assert (spread.count, spread.sum) == (3, pytest.approx(3.1))


def test_the_last_values_are_sent_at_the_end(collector: Any) -> None:
    export = OtlpExport(collector.url, families, {}, interval_s=3600.0)
    export.start()
    export.stop()
    assert "test_things_total" in collector.metrics()


def test_a_collector_that_refuses_is_told_of_once(collector: Any, caplog: pytest.LogCaptureFixture) -> None:
    collector.status = 400
    export = OtlpExport(collector.url, families, {}, interval_s=3600.0)
    with caplog.at_level(logging.WARNING, logger="metrics.otlp"):
        for _ in range(3):
            export.start()
            export._send()
    assert len([each for each in caplog.records if each.name == "metrics.otlp"]) == 1
    collector.status = 200
    export.stop()


@pytest.mark.parametrize("url", ["", "localhost:4318", "ftp://localhost", "http://", "http://[x"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(OtlpError, match="OTLP over HTTP"):
        endpoint_of(url)


def test_a_url_with_a_path_is_meant_as_it_is() -> None:
    assert endpoint_of("http://host:4318") == "http://host:4318/v1/metrics"
    assert endpoint_of("https://host/otlp/v1/metrics") == "https://host/otlp/v1/metrics"


def test_units_are_those_of_the_name() -> None:
    assert [unit_of(name) for name in ("a_seconds_total", "a_bytes", "a_total", "b")] == ["s", "By", "1", "1"]


def test_without_the_sdk_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *more: Any, **others: Any) -> Any:
        if name.startswith("opentelemetry"):
            raise ImportError(name)
        return real(name, *more, **others)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(OtlpError, match=r"pip install 'chatproof\[otel\]'") as raised:
        OtlpExport("http://localhost:4318", families, {})
    assert raised.value.missing
