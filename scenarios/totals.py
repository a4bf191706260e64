"""Locust's statistics in bulk: what happened in a second is entered as one sum, not event by event."""

import time
from collections import Counter
from typing import Any

from locust.stats import RequestStats, StatsEntry, bucket_response_time


class Totals:
    """Collects durations and failures by (method, name); `flush` adds them to Locust's own statistics."""

    def __init__(self, stats: RequestStats) -> None:
        self._stats = stats
        self._durations_ms: dict[tuple[str, str], list[float]] = {}
        self._failures: Counter[tuple[str, str, str]] = Counter()

    def add(self, method: str, name: str, seconds: float) -> None:
        """One thing that went well and how long it took."""
        self._durations_ms.setdefault((method, name), []).append(seconds * 1000)

    def fail(self, method: str, name: str, why: str) -> None:
        """One that did not."""
        self._failures[method, name, why] += 1

    def flush(self) -> None:
        """Everything since the last flush is in Locust's statistics."""
        durations, self._durations_ms = self._durations_ms, {}
        failures, self._failures = self._failures, Counter()
        now = time.time()
        for (method, name), values in durations.items():
            self._enter(method, name, values, now)
        for (method, name, why), count in failures.items():
            for _ in range(count):
                self._stats.log_request(method, name, 0, 0)
                self._stats.log_error(method, name, why)

    def _enter(self, method: str, name: str, values: list[float], now: float) -> None:
        # Locust declares whole milliseconds and enters fractions.
        summed: Any = StatsEntry(self._stats, name, method)
        summed.reset()
        summed.num_requests = len(values)
        summed.total_response_time = sum(values)
        summed.min_response_time = min(values)
        summed.max_response_time = max(values)
        summed.last_request_timestamp = now
        summed.num_reqs_per_sec[int(now)] = len(values)
        for bucket, count in Counter(bucket_response_time(value) for value in values).items():
            summed.response_times[bucket] = count
        self._stats.entries[name, method].extend(summed)
        self._stats.total.extend(summed)
