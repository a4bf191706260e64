"""Families as OpenTelemetry metrics, to a collector over OTLP/HTTP.

The SDK is an optional part of an installation, so it is imported only here, when somebody asks for it.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from gevent import Greenlet, get_hub, sleep, spawn

from metrics.metric import Distribution, Family, Kind, Point

INTERVAL_S = 10.0
_TIMEOUT_S = 5.0
_PATH = "/v1/metrics"

log = logging.getLogger(__name__)


class OtlpError(Exception):
    """Metrics cannot be exported; the message says what to do. `missing`: it is the installation."""

    def __init__(self, text: str, *, missing: bool = False) -> None:
        super().__init__(text)
        self.missing = missing


class OtlpExport:
    """Sends what `collect()` returns every `interval_s` from `start` on, and once more at `stop`.

    `resource`: what these metrics are of, such as service.name. A collector that does not answer is told of
    once in the log, and tried again. Raises OtlpError for a URL that is none, or without the SDK.
    """

    def __init__(
        self,
        url: str,
        collect: Callable[[], Iterable[Family]],
        resource: Mapping[str, str],
        *,
        interval_s: float = INTERVAL_S,
    ) -> None:
        self._url = endpoint_of(url)
        self._collect = collect
        self._interval_s = interval_s
        self._started_ns = time.time_ns()
        self._is_failing = False
        self._greenlet: Greenlet[[], None] | None = None
        try:
            from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
            from opentelemetry.sdk.metrics import export
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.util.instrumentation import InstrumentationScope
        except ImportError as error:
            raise OtlpError(
                "--otlp needs OpenTelemetry, which is not installed: pip install 'chatproof[otel]'",
                missing=True,
            ) from error
        self._export: Any = export
        self._resource = Resource.create(dict(resource))
        self._scope = InstrumentationScope("chatproof")
        self._exporter = OTLPMetricExporter(endpoint=self._url, timeout=_TIMEOUT_S)

    def start(self) -> None:
        self._greenlet = spawn(self._run)

    def stop(self) -> None:
        """The last values have been sent, or could not be."""
        if self._greenlet is not None:
            self._greenlet.kill()
            self._greenlet = None
            self._send()
        self._exporter.shutdown()

    def _run(self) -> None:
        while True:
            sleep(self._interval_s)
            self._send()

    def _send(self) -> None:
        # In a thread of its own: the exporter waits, and sleeps between its tries.
        result = get_hub().threadpool.apply(self._exporter.export, (self._data(),))
        failed = result is not self._export.MetricExportResult.SUCCESS
        if failed and not self._is_failing:
            log.warning(
                "the collector at %s does not take metrics; trying again every %g s",
                self._url,
                self._interval_s,
            )
        self._is_failing = failed

    def _data(self) -> Any:
        export, now = self._export, time.time_ns()
        return export.MetricsData(
            [
                export.ResourceMetrics(
                    self._resource,
                    [
                        export.ScopeMetrics(
                            self._scope,
                            [self._metric(family, now) for family in self._collect() if family.points],
                            "",
                        )
                    ],
                    "",
                )
            ]
        )

    def _metric(self, family: Family, now_ns: int) -> Any:
        export, metric = self._export, family.metric
        whole = export.AggregationTemporality.CUMULATIVE
        names = metric.labels
        data: Any
        if metric.kind is Kind.HISTOGRAM:
            spreads = [point for point in family.points if isinstance(point, Distribution)]
            data = export.Histogram([self._spread(family, point, now_ns) for point in spreads], whole)
        else:
            points = [
                export.NumberDataPoint(
                    dict(zip(names, point.labels, strict=True)), self._started_ns, now_ns, point.value
                )
                for point in family.points
                if isinstance(point, Point)
            ]
            data = export.Sum(points, whole, True) if metric.kind is Kind.COUNTER else export.Gauge(points)
        return export.Metric(metric.name, metric.text, unit_of(metric.name), data)

    def _spread(self, family: Family, point: Distribution, now_ns: int) -> Any:
        labels = dict(zip(family.metric.labels, point.labels, strict=True))
        return self._export.HistogramDataPoint(
            labels, self._started_ns, now_ns, point.count, point.total, point.counts, family.metric.bounds,
            None, None,
        )  # fmt: skip


def endpoint_of(url: str) -> str:
    """Where to send to: a URL without a path is that of a collector. Raises OtlpError."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.hostname is not None and parts.port != 0
    except ValueError:
        known = False
    if not known:
        raise OtlpError(f"--otlp {url}: write http://HOST:PORT of a collector that takes OTLP over HTTP")
    return url if parts.path not in ("", "/") else f"{parts.scheme}://{parts.netloc}{_PATH}"


def unit_of(name: str) -> str:
    """The unit at the end of a metric's name, as OpenTelemetry writes it (UCUM)."""
    words = name.removesuffix("_total").split("_")
    return {"seconds": "s", "bytes": "By", "ratio": "1"}.get(words[-1], "1")
