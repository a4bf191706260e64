"""Locust's statistics in bulk: what happened in a second is entered as one sum, not event by event."""

import time
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from locust.stats import RequestStats, StatsEntry, bucket_response_time

_SHOWN_AS = {
    "heartbeat": ("BEAT", "heartbeat"),
    "login": ("CONN", "login"),
    "reconnect": ("CONN", "reconnect"),
}
"""Method and name of what has a histogram."""
_NO_HISTOGRAMS: Mapping[str, Counter[int]] = MappingProxyType({})


class Totals:
    """Collects durations and failures by (method, name); `flush` adds them to Locust's own statistics."""

    def __init__(self, stats: RequestStats) -> None:
        self._stats = stats
        self._durations_us: dict[tuple[str, str], list[int]] = {}
        self._failures: Counter[tuple[str, str, str]] = Counter()

    def add(self, method: str, name: str, seconds: float) -> None:
        """One thing that went well and how long it took."""
        self._durations_us.setdefault((method, name), []).append(round(seconds * 1e6))

    def fail(self, method: str, name: str, why: str) -> None:
        """One that did not."""
        self._failures[method, name, why] += 1

    def flush(self, histograms: Mapping[str, Counter[int]] = _NO_HISTOGRAMS) -> None:
        """Everything since the last flush is in Locust's statistics, and so is what histograms have counted
        (`ledger.histograms`) meanwhile."""
        durations, self._durations_us = self._durations_us, {}
        failures, self._failures = self._failures, Counter()
        for (method, name), values in durations.items():
            self._enter(method, name, Counter(values))
        for name, counts in histograms.items():
            self._enter(*_SHOWN_AS[name], counts)
        for (method, name, why), count in failures.items():
            for _ in range(count):
                self._stats.log_request(method, name, 0, 0)
                self._stats.log_error(method, name, why)

    def _enter(self, method: str, name: str, microseconds: Counter[int]) -> None:
        """Many that went well: how often each took how long."""
        # Locust declares whole milliseconds and enters fractions.
        summed: Any = StatsEntry(self._stats, name, method)
        summed.reset()
        now = time.time()
        summed.num_requests = microseconds.total()
        summed.total_response_time = sum(value * count for value, count in microseconds.items()) / 1000
        summed.min_response_time = min(microseconds) / 1000
        summed.max_response_time = max(microseconds) / 1000
        summed.last_request_timestamp = now
        summed.num_reqs_per_sec[int(now)] = summed.num_requests
        for value, count in microseconds.items():
            bucket = bucket_response_time(value / 1000)
            summed.response_times[bucket] = summed.response_times.get(bucket, 0) + count
        self._stats.entries[name, method].extend(summed)
        self._stats.total.extend(summed)
