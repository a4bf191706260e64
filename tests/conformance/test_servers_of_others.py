"""The suite against mosquitto and prosody: what their protocols promise is kept, what they do is told."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Conform = Callable[..., dict[str, Any]]


@pytest.fixture
def conform(requires: Callable[[str], str], tmp_path: Path) -> Conform:
    """`conform(server, clause, …)`: the clauses of its conformance.json."""

    def run(server: str, *clauses: str) -> dict[str, Any]:
        requires(server)
        wanted = [word for clause in clauses for word in ("--clause", clause)]
        done = subprocess.run(
            [sys.executable, "-m", "chatproof", "conform",
             "--start", server, "--out", str(tmp_path), *wanted],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        found: dict[str, Any] = json.loads((tmp_path / "conformance.json").read_text())
        return found

    return run


def test_mosquitto_keeps_what_mqtt_promises_and_its_order_across_qos_is_noted(conform: Conform) -> None:
    found = conform("mosquitto", "ORD.2", "UNR.1")
    clauses = found["clauses"]
    assert found["standard"].startswith("MQTT")
    assert {name: of["verdict"] for name, of in clauses.items()} == {"ORD.2": "pass", "UNR.1": "not offered"}
    assert "MQTT-4.6.0-6" in clauses["ORD.2"]["promise"]["by"]
    notes = [note for case in clauses["ORD.2"]["carriers"]["tcp"]["cases"] for note in case.get("notes", [])]
    assert any(
        re.search(r"QoS 1 and 2 in turn: place \d+ has .* instead of .*MQTT-4.6.0-6", n) for n in notes
    )


def test_prosody_keeps_what_xmpp_promises(conform: Conform) -> None:
    clauses = conform("prosody", "DLV.6", "ROM.1", "STO.2")["clauses"]
    assert {name: of["verdict"] for name, of in clauses.items()} == {
        "DLV.6": "pass", "ROM.1": "pass", "STO.2": "not offered",
    }  # fmt: skip
    assert "XEP-0280 5" in clauses["DLV.6"]["promise"]["by"]
