"""A run from Locust's web interface, in a real browser: started, broken, healed, stopped, and read."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import scenarios
from chaos.plan import parse_fault
from chatproof.target import make_accounts
from ledger.run_folder import RunFolder
from refserver import accounts
from refserver.process import ServerProcess

_FLOW = Path(__file__).with_name("locust_flow.py")
_SCENARIOS = ",".join(str(Path(scenarios.__file__).with_name(name)) for name in ("chat.py", "heartbeat.py"))
_PATIENCE_S = 360.0


@pytest.fixture
def page_url(tmp_path: Path, reserved_port: Callable[[], int]) -> Iterator[str]:
    """Locust's page behind a base path, a master with two workers, pointed at a server of its own."""
    data = tmp_path / "server"
    data.mkdir()
    accounts.tokens(data, make_accounts(data, 75, 5), 3600.0, data / "accounts.csv")
    web, master = reserved_port(), reserved_port()
    with ServerProcess(data, http=False) as server, (tmp_path / "log").open("w") as log:
        locust = subprocess.Popen(
            [sys.executable, "-m", "locust", "-f", _SCENARIOS, "--host", f"chat+{server.tcp_urls[0]}",
             "--accounts", str(data / "accounts.csv"), "--web-host", "127.0.0.1", "--web-port", str(web),
             "--web-base-path", "/load", "--processes", "2", "--master-bind-port", str(master),
             "--master-port", str(master), "--class-picker", "--away-share", "0", "--send-rate", "10"],
            cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        url = f"http://127.0.0.1:{web}/load/"
        try:
            _await(url, locust, tmp_path / "log")
            yield url
        finally:
            os.killpg(locust.pid, signal.SIGTERM)
            locust.wait(_PATIENCE_S)


def _await(url: str, locust: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        assert locust.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{url}worker-count") as answer:
                if json.load(answer)["worker_count"] == 2:
                    return
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def _refused(url: str, data: bytes, kind: str) -> tuple[int, dict[str, str], dict[str, Any]]:
    request = urllib.request.Request(
        url, data, headers={"Content-Type": kind, "Origin": "http://elsewhere.example"}
    )
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(request)
    return error.value.code, dict(error.value.headers), json.load(error.value)


def test_a_run_is_started_broken_healed_stopped_and_read(
    page_url: str, requires: Callable[[str], str], tmp_path: Path
) -> None:
    code, headers, answer = _refused(f"{page_url}chatproof/faults", b'{"faults": "cut=5%"}', "text/plain")
    assert (code, "Access-Control-Allow-Origin" in headers) == (400, False), (
        "another site must not break this"
    )
    assert answer["error"].startswith("send JSON")

    done = subprocess.run(
        [sys.executable, str(_FLOW), page_url, requires("chromium")],
        capture_output=True, text=True, timeout=_PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + (tmp_path / "log").read_text()
    seen = json.loads(done.stdout)
    assert seen["violations"] == []
    assert seen["said"] == []
    assert seen["width"] == 400, "nothing is wider than a narrow page"
    assert seen["fault"].startswith("latency 50ms on all: over")
    assert seen["title"].startswith("Pass")
    (path,) = (tmp_path / "runs").iterdir()
    folder = RunFolder(path)
    assert [fault.name for fault in folder.load_faults()] == ["latency"]
    _assert_agrees(seen, folder.load_summary())
    _assert_repeats(seen["command"], folder)


def _assert_repeats(command: str, folder: RunFolder) -> None:
    """What the report shows does the same: on the page's word, and with the fault when it was on."""
    assert command == folder.load_environment()["command"]
    words, phases, (fault,) = shlex.split(command), folder.load_phases(), folder.load_faults()
    assert words[:5] == ["locust", "-f", _SCENARIOS, "Chat", "--headless"]
    said = dict(pairwise(words))
    amounts = [said[flag] for flag in ("--users", "--spawn-rate", "--cohort", "--processes")]
    assert amounts == ["4", "8", "20", "2"]
    assert "--proxies" in words
    assert int(said["--run-time"][:-1]) == round((phases.load_end_ns - phases.start_ns) / 1e9)
    spec = parse_fault(said["--faults"])
    assert spec.at_s == pytest.approx((fault.start_ns - phases.load_start_ns) / 1e9, abs=0.01)
    assert spec.for_s == pytest.approx((fault.end_ns - fault.start_ns) / 1e9, abs=0.02)


def _assert_agrees(seen: dict[str, Any], summary: dict[str, Any]) -> None:
    """What the page had counted by itself when the run was over is what the ledger says."""
    totals, found = seen["live"]["totals"], summary["checks"]["completeness"]
    messages = totals["messages"]
    assert seen["verdict"] == f"Verdict: {summary['verdict']}"
    assert messages["sent"] == found["sent"] > 0
    assert messages["acked"] == found["acked"] > 0
    assert messages["delivered"] == sum(found["reached"].values())
    assert messages["repeated"] == found["repeats_suppressed"]
    assert totals["deliveries"] == {"expected": found["expected"], "owed": 0, "overdue": 0}
    assert {name: totals["beats"][name] for name in summary["heartbeats"]} == summary["heartbeats"]
    assert totals["connects"]["opened"] == summary["connections"]["opened"]
    assert seen["live"]["peak"] == summary["connections"]["peak"] == 80
    shown = {name: text.replace(",", "") for name, text in seen["shown"].items()}
    assert shown == {
        "sent": str(found["sent"]),
        "acked": str(found["acked"]),
        "delivered": str(messages["delivered"]),
        "overdue": str(found["lost"]),
    }
