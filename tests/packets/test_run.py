"""`chatproof run` in networks of its own, from the command to what is left of it."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.packets.leftovers import FOLDER
from chaos.packets.pcap import packets
from chatproof.evidence import FLOWS
from tests.packets.conftest import Make

_SMALL = (
    "--connections", "60", "--rate", "60", "--duration", "6s", "--ramp", "1s", "--heartbeat", "5",
    "--set", "cohort=20", "--set", "away_share=0", "--out", "run",
)  # fmt: skip
_RUNS = {
    "wire": ("loss=5% at 1s for 3s", "delay=20ms at 1s for 3s", "partition at 4s for 1s"),
    "veth": ("block_port=14000/reset at 1s for 2s", "loss=5% at 3s for 2s"),
    "nat": ("nat_forget at 1s for 1s", "dead_peer=30% at 3s for 2s"),
}
_CAPTURING = """
name = "captured"
[network]
kind = "wire"
capture = 20
"""


class _Command:
    def __init__(self, cwd: Path, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "chatproof", *words],
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def until(self, word: str) -> str:
        """The line with it."""
        assert self.process.stdout is not None
        said = []
        for line in self.process.stdout:
            said.append(line)
            if word in line:
                return line
        raise AssertionError(f"it ended before it said {word!r}: {''.join(said)}")

    def end(self) -> str:
        return self.process.communicate()[0]


def _names(summary: Path) -> list[str]:
    told: list[str] = json.loads(summary.read_text())["network"]["namespaces"]
    return told


@pytest.fixture
def place(make: Make, tmp_path: Path) -> Path:
    """A folder for a run, on a machine that can have networks."""
    make("wire").close()
    return tmp_path


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[Path, _Command]]]:
    """A run in each kind of network, side by side."""
    begun = {}
    for kind, texts in _RUNS.items():
        folder = tmp_path_factory.mktemp(kind)
        (folder / "plan.toml").write_text(_CAPTURING)
        faults = [word for text in texts for word in ("--fault", text)]
        begun[kind] = folder, _Command(folder, "run", "plan.toml", *_SMALL, "--network", kind, *faults)
    yield begun
    for _, command in begun.values():
        command.process.kill()
        command.process.wait()


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("kind", _RUNS)
def test_nothing_that_was_acknowledged_is_lost_whatever_happens_to_the_packets(
    commands: dict[str, tuple[Path, _Command]], kind: str
) -> None:
    place, command = commands[kind]
    said = command.end()
    assert command.process.returncode == 0, said
    summary = json.loads((place / "run" / "summary.json").read_text())
    checks = summary["checks"]
    assert summary["verdict"] == "pass"
    assert checks["completeness"]["sent"] == checks["completeness"]["acked"] > 200
    assert [checks["completeness"][name] for name in ("lost", "duplicated")] == [0, 0]
    layers = {fault["name"]: fault["detail"]["layer"] for fault in summary["faults"]}
    expected = {
        "wire": {"loss": "wire", "delay": "wire", "partition": "nftables"},
        "veth": {"block_port": "nftables", "loss": "nftables"},
        "nat": {"nat_forget": "conntrack", "dead_peer": "nftables"},
    }
    assert layers == expected[kind]
    assert all(fault["detail"].get("counts") for fault in summary["faults"] if fault["name"] == "loss")
    assert not any((FOLDER / name).exists() for name in _names(place / "run" / "environment.json"))
    told = json.loads((place / "run" / "packets" / FLOWS).read_text())
    assert 0 < len(told["connections"]) <= 20
    # The capture goes on until everybody has settled.
    kept = list(packets(*(place / "run" / "packets" / name for name in told["files"])))
    assert 100 < told["packets"] <= len(kept)
    assert not [each for each in told["connections"] if each["agrees"] is False]
    # Nothing failed, so it is the slowest deliveries that are shown, packet by packet.
    views = json.loads((place / "run" / "packets" / "views.json").read_text())
    assert 1 <= len(views) <= 3
    for view in views:
        assert "ms after it was due" in view["about"]
        assert view["connection"] in {each["connection"] for each in told["connections"]}
        assert any("PUSH" in row and "←" in row for row in view["rows"]), view["rows"]
    report = (place / "run" / "report.html").read_text()
    assert all(view["connection"].replace(">", "&gt;") in report for view in views)


def test_after_kill_9_in_the_middle_of_a_fault_the_next_run_removes_what_is_left(place: Path) -> None:
    words = ("run", *_SMALL, "--duration", "60s", "--network", "wire", "--fault", "loss=5%")
    command = _Command(place, *words)
    command.until("loss 5%")
    names = _names(place / "run" / "environment.json")
    assert all((FOLDER / name).exists() for name in names)
    command.process.kill()
    command.end()
    again = _Command(place, "run", *_SMALL, "--scenario", "heartbeat", "--duration", "1s", "--out", "again")
    said = again.end()
    assert again.process.returncode == 0, said
    assert not any((FOLDER / name).exists() for name in names)


@pytest.mark.usefixtures("place")
def test_without_the_privilege_a_run_with_a_network_is_refused_in_one_line() -> None:
    code = (
        "import os, sys; sys.argv = ['chatproof', 'run', '--network', 'wire', '--out', sys.argv[1]]\n"
        "import chatproof.commands.run, chatproof.run, locust, rich.console, chatproof.cli\n"
        "os.setgroups([]); os.setuid(65534)\n"
        "chatproof.cli.main()\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        words = [sys.executable, "-c", code, f"{folder}/run"]
        found = subprocess.run(words, capture_output=True, text=True, check=False, cwd="/")
    assert found.returncode == 3, found.stderr
    assert found.stderr.startswith('chatproof: network "wire": '), found.stderr
    assert found.stderr.count("\n") == 1
    assert "ermi" in found.stderr
