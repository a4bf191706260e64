"""`chatproof serve --otlp`: the server's metrics at a collector."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from refserver.workers import environment_with_this_code


def serve(*options: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "chatproof", "serve", "--listen", "tcp://127.0.0.1:0", *options]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment_with_this_code()
    )


def test_a_server_that_ends_has_told_its_collector(collector: Any, tmp_path: Path) -> None:
    with serve("--data", str(tmp_path), "--otlp", collector.url) as server:
        assert server.stdout is not None
        assert "listening on" in server.stdout.readline()
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0
    found = collector.metrics()
    assert {"chatproof_server_connections", "chatproof_server_messages_total"} <= set(found)


def test_a_collector_that_is_no_url_is_wrong_use(tmp_path: Path) -> None:
    with serve("--data", str(tmp_path), "--otlp", "collector:4318") as server:
        _, said = server.communicate(timeout=60)
    assert server.returncode == 2
    assert said.count("\n") == 1
    assert "OTLP over HTTP" in said
