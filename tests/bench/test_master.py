"""The benchmark of the master has reporters that it hears, and counts what goes to and fro."""

import json
import subprocess
import sys
from typing import Any

from refserver.workers import environment_with_this_code


def two_seconds_of_two_reporters() -> dict[str, Any]:
    said = subprocess.run(
        [sys.executable, "-m", "bench.opposite.reporters", "2", "2"],
        env=environment_with_this_code(),
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(said.stdout)
    assert found["bytes"] > 100 * found["messages"] > 0
    assert found["cpu_s"] > 0 < found["took_s"]
    return found


def test_a_second_of_two_reporters_is_six_messages() -> None:
    # Two reports, two signs of life and their two answers a second; a second more or less at the ends. Where
    # the machine stood still in the middle, it is tried again.
    assert any(6 <= two_seconds_of_two_reporters()["messages"] <= 18 for _ in range(4))
