"""What the processes of the synthetic run said of themselves every second."""

from collections import Counter
from typing import Any

import numpy as np
import polars as pl

from ledger.histograms import as_text

SECOND = 1_000_000_000
START = 1_000 * SECOND
LOAD_START = START + 10 * SECOND


def at(seconds: Any) -> Any:
    """Monotonic ns of `seconds` after the load began."""
    return (LOAD_START + np.asarray(seconds) * SECOND).astype(np.int64)


def histogram(values_ms: Any) -> str:
    """Counts of milliseconds, kept as µs."""
    return as_text(Counter(np.maximum(np.asarray(values_ms) * 1000, 1).astype(int).tolist()))


def processes(
    devices: int,
    generators: int,
    load_s: int,
    sent: pl.DataFrame,
    links: pl.DataFrame,
    random: np.random.Generator,
) -> dict[str, list[dict[str, Any]]]:
    """What each process said of itself every second: two generators, one server, one proxy."""
    told: dict[str, list[dict[str, Any]]] = {"server-0": [], "proxy-0": []}
    told |= {f"generator-{n}": [] for n in range(generators)}
    share = 1 / generators
    due = beaten = answered = missed = late = 0.0
    seconds = range(-9, load_s + 12)
    for second in seconds:
        so_far = links.filter(pl.col("at_ns") <= int(at(second)))
        count = dict(so_far.group_by("event").len().iter_rows())
        opened, closed = count.get("login", 0), count.get("closed", 0)
        connected = opened - closed
        now = sent.filter(pl.col("planned_ns") <= int(at(second)))
        late_sends = now.filter(pl.col("started_ns") - pl.col("planned_ns") > 50_000_000).height
        beats = connected / 4
        blocked = 46 <= second <= 53
        lagging = 24 <= second < 41
        due, beaten = due + beats, beaten + beats
        answered += beats * (0.55 if blocked else 1.0)
        missed += beats * (0.45 if blocked else 0.0)
        late += beats * (0.02 if lagging else 0.001)
        rtt = random.lognormal(np.log(1.9), 0.4, 150) + (300 if lagging else 0)
        back = links.filter(
            (pl.col("event") == "login") & pl.col("at_ns").is_between(int(at(second - 1)), int(at(second)))
        ).height
        for n in range(generators):
            told[f"generator-{n}"].append(
                {
                    "at_ns": int(at(second)),
                    "role": "generator",
                    "pid": 4100 + n,
                    "rss_bytes": int(58e6 + connected * share * 5200),
                    "anon_bytes": int(20e6 + connected * share * 5200),
                    "cpu_s": round((second + 9) * 0.02 + due * 2e-5, 3),
                    "fds": int(20 + connected * share),
                    "loop_lag_ms": round(
                        float(random.lognormal(np.log(1.4), 0.5)) + (38 if second == 43 else 0), 2
                    ),
                    "connections": int(connected * share),
                    "target": int(devices * share * min(max(second + 10, 0) / 8, 1)),
                    "opened": int(opened * share),
                    "failed": int(count.get("connect_failed", 0) * share),
                    "dropped": int(closed * share),
                    "beats": {
                        k: int(v * share)
                        for k, v in [
                            ("due", due),
                            ("sent", beaten),
                            ("answered", answered),
                            ("late", late),
                            ("missed", missed),
                        ]
                    },
                    "sends": {
                        "planned": int(now.height * share),
                        "started": int(now.height * share),
                        "late": int(late_sends * share),
                    },
                    "histograms": {
                        "heartbeat": histogram(rtt),
                        "login": histogram(random.lognormal(np.log(6), 0.5, int(back * share))),
                        "reconnect": histogram(
                            random.lognormal(np.log(600), 0.7, int(back * share) if second > 40 else 0)
                        ),
                    },
                }
            )
        common = {"at_ns": int(at(second)), "fds": int(30 + connected)}
        told["server-0"].append(
            common
            | {
                "role": "server",
                "pid": 4000,
                "rss_bytes": int(92e6 + connected * 6100),
                "anon_bytes": int(40e6 + connected * 6100),
                "cpu_s": round((second + 9) * 0.41, 3),
            }
        )
        told["proxy-0"].append(
            common
            | {
                "role": "proxy",
                "pid": 4050,
                "rss_bytes": int(49e6 + connected * 3000),
                "cpu_s": round((second + 9) * 0.2, 3),
            }
        )
    return told
