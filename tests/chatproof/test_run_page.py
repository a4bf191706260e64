"""`chatproof run --web-port`: the page of a run, what people break there, and what a collector saw of it."""

import json
import shlex
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import pytest
from command_line import TIMEOUT_S, Command, Ended

from chatproof.plan import load_plan
from ledger.run_folder import RunFolder
from reactor import sockets
from tests.metrics.conftest import Collector

_RUN = (
    "run", "--connections", "20", "--rate", "20", "--duration", "600s", "--ramp", "1s", "--heartbeat", "1",
    "--set", "cohort=20", "--set", "away_share=0", "--fault", "bandwidth=1MB/s at 500s for 1s", "--no-report",
    "--out", "run",
)  # fmt: skip
_PLANNED, _LATENCY, _SLOW, _NOWHERE = range(4)


class Page:
    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, path: str, body: Any = None, kind: str = "application/json") -> tuple[int, Any]:
        """Status and JSON of an answer; a POST if there is a body."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(urljoin(self.url, path), data, headers={"Content-Type": kind})
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def live(self) -> Any:
        return self.ask("live")[1]

    def stand(self, number: int) -> str:
        stand: str = self.live()["faults"][number]["stand"]
        return stand


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + TIMEOUT_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


@dataclass
class Seen:
    """What somebody at the page got for an answer, by what he did, and what was left after the run."""

    text: str = ""
    elsewhere: str = ""
    said: dict[str, tuple[int, Any]] = field(default_factory=dict)
    live: Any = None
    ended: Ended | None = None
    folder: RunFolder | None = None
    metrics: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    cwd, collector = tmp_path_factory.mktemp("page"), Collector()
    kept = sockets.reserve("127.0.0.1")
    port = kept.getsockname()[1]
    run = Command(*_RUN, "--web-port", str(port), "--otlp", collector.url, cwd=cwd)
    try:
        (said,) = [line for line in run.lines_until("page ") if line.startswith("page ")]
        seen = Seen()
        _break(Page(said.split()[1]), port, seen)
        seen.ended = run.end()
        while not collector.received.empty():
            seen.metrics = collector.metrics()
        seen.folder = RunFolder(cwd / "run")
        yield seen
    finally:
        run.kill_all()
        run.process.wait()
        collector.close()
        kept.close()


def _break(page: Page, port: int, seen: Seen) -> None:
    """Somebody looks at the page, breaks things, heals them, and ends the run."""
    with urllib.request.urlopen(page.url, timeout=TIMEOUT_S) as answer:
        seen.text = answer.read().decode()
    try:
        socket.create_connection(("127.0.0.2", port), timeout=TIMEOUT_S).close()
    except ConnectionRefusedError as error:
        seen.elsewhere = str(error)
    until(lambda: page.live()["is_open"])
    seen.said["of another site"] = page.ask("faults", {"faults": "cut=100%"}, "text/plain")
    seen.said["on"] = page.ask("faults", {"faults": "latency=20ms"})
    seen.said["two"] = page.ask("faults", {"faults": "bandwidth=100KB/s; latency=1ms on nowhere"})
    until(lambda: [page.stand(each) for each in (_LATENCY, _SLOW, _NOWHERE)] == ["on", "on", "over"])
    seen.said["off"] = page.ask(f"faults/{_LATENCY}/off", {})
    seen.said["off again"] = page.ask(f"faults/{_LATENCY}/off", {})
    seen.said["off, unknown"] = page.ask("faults/99/off", {})
    seen.said["misspelt"] = page.ask("faults", {"faults": "latencies=1ms"})
    seen.said["another run"] = page.ask("../swarm", {})
    until(lambda: page.live()["totals"]["messages"].get("delivered", 0) > 20)
    seen.live = page.live()
    seen.said["stop"] = page.ask("../stop", {})


def test_the_page_is_there_for_those_at_this_machine(seen: Seen) -> None:
    assert "<title>Chatproof live</title>" in seen.text
    assert "refused" in seen.elsewhere, "another address of the machine is none of those it listens on"
    assert seen.live["totals"]["connections"] == 20
    assert seen.live["points"]


def test_faults_are_switched_on_and_off_beside_those_of_the_plan(seen: Seen) -> None:
    assert seen.said["on"] == (200, {"numbers": [_LATENCY]})
    assert seen.said["two"] == (200, {"numbers": [_SLOW, _NOWHERE]})
    assert [each["stand"] for each in seen.live["faults"]] == ["waiting", "over", "on", "over"]
    assert seen.said["off"] == seen.said["off again"] == (200, {"number": _LATENCY})
    assert seen.live["faults"][_NOWHERE]["error"].startswith("no proxy 'nowhere'")


def test_what_makes_no_sense_is_refused_in_a_line(seen: Seen) -> None:
    for what, code, why in (
        ("off, unknown", 400, "there is no fault number 99"),
        ("misspelt", 400, "there is no fault 'latencies'"),
        ("of another site", 400, "send JSON"),
    ):
        assert seen.said[what][0] == code, what
        assert seen.said[what][1]["error"].startswith(why)
    assert seen.said["another run"][0] == 409
    assert "chatproof run" in seen.said["another run"][1]["message"]


def test_the_run_ends_when_it_is_stopped_there_and_is_judged(seen: Seen) -> None:
    assert seen.said["stop"][0] == 200
    assert seen.ended is not None
    assert seen.folder is not None
    assert (seen.ended.code, seen.ended.left) == (0, ()), seen.ended.out + seen.ended.err
    assert seen.folder.load_summary()["verdict"] == "pass"
    assert sorted(fault.name for fault in seen.folder.load_faults()) == ["bandwidth", "latency", "latency"]


def test_plan_and_command_repeat_what_was_switched_on_by_hand(seen: Seen) -> None:
    assert seen.folder is not None
    command = shlex.split(seen.folder.load_environment()["command"])
    given = [command[place + 1] for place, word in enumerate(command) if word == "--fault"]
    plan = load_plan(str(seen.folder.plan))
    plan.check()
    assert given == [spec.as_text() for spec in plan.faults]
    assert [spec.name for spec in plan.faults] == ["bandwidth", "latency", "bandwidth"]
    happened = {fault.name: fault for fault in seen.folder.load_faults() if "error" not in fault.detail}
    for spec in plan.faults[1:]:
        fault = happened[spec.name]
        assert spec.for_s == pytest.approx((fault.end_ns - fault.start_ns) / 1e9, abs=0.02)


def _values(metric: Any) -> dict[str, float]:
    """By the metric's only label; "" where it has none."""
    data = metric.sum if metric.HasField("sum") else metric.gauge
    return {
        "".join(label.value.string_value for label in point.attributes): point.as_int or point.as_double
        for point in data.data_points
    }


def test_what_a_collector_got_last_agrees_with_the_summary(seen: Seen) -> None:
    assert seen.folder is not None
    summary, got = seen.folder.load_summary(), seen.metrics
    found, messages = summary["checks"]["completeness"], _values(got["chatproof_swarm_messages_total"])
    assert messages["sent"] == found["sent"] > 0
    assert messages["acked"] == found["acked"]
    assert messages["delivered"] == sum(found["reached"].values()) > 20
    assert _values(got["chatproof_swarm_deliveries_expected_total"]) == {"": found["expected"]}
    assert _values(got["chatproof_swarm_connects_total"])["opened"] == summary["connections"]["opened"]
    beats = _values(got["chatproof_swarm_heartbeats_total"])
    assert {name: beats[name] for name in summary["heartbeats"]} == summary["heartbeats"]
    assert beats["answered"] > 0
    spreads = {
        "".join(label.value.string_value for label in point.attributes): point.count
        for point in got["chatproof_swarm_latency_seconds"].histogram.data_points
    }
    assert spreads["login"] == 20
    assert spreads["deliver"] == messages["delivered"]
