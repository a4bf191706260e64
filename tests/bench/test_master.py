"""The benchmark of the master has reporters that it hears, and counts what goes to and fro."""

import json
import subprocess
import sys

from refserver.workers import environment_with_this_code


def test_a_second_of_two_reporters_is_six_messages() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "bench.opposite.reporters", "2", "2"],
        env=environment_with_this_code(),
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(said.stdout)
    # Two reports, two signs of life and their two answers a second; a second more or less at the ends.
    assert 6 <= found["messages"] <= 18
    assert found["bytes"] > 100 * found["messages"]
    assert found["cpu_s"] > 0 < found["took_s"]
