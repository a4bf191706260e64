"""The suite under a fault plan: what is left out, what goes wrong, and what its results stand under."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from chaos.fault_plan import load_fault_plan
from conformance.run import ConformSettings
from conformance.together import Given
from conformance.weather import CLAUSES, Company, Weather, column, parameters

pytest_plugins = ("pytester",)

CASES = """
import pytest

def test_of_real_clients(block, device): ...
def test_of_a_bare_connection(block, phone): ...
def test_that_ends_the_server(block, server): ...
def test_that_shares_what_it_saw(watched): ...
@pytest.mark.calm("times are what it looks at")
def test_of_times(block, device): ...
@pytest.mark.parametrize("size", [1])
def test_with_a_table(block, phone, size): ...
"""


def weather(name: str) -> Weather:
    return Weather(load_fault_plan(name), 1, None, lambda process: pytest.fail("no server was wanted"))


@pytest.fixture
def cases(pytester: pytest.Pytester) -> dict[str, pytest.Item]:
    items, _ = pytester.inline_genitems(
        pytester.makepyfile(CASES), "-p", "no:cacheprovider", "-c", "/dev/null"
    )
    return {item.name.partition("[")[0].removeprefix("test_"): item for item in items}


def test_each_case_that_is_left_out_says_why(cases: dict[str, pytest.Item]) -> None:
    def why(plan: str, name: str) -> str | None:
        return weather(plan).left_out(cases[name], Given.NAMES, "tcp")

    assert why("subway", "of_real_clients") is None
    assert why("subway", "of_a_bare_connection") is None
    assert why("subway", "with_a_table") is None
    assert "times are what it looks at" in str(why("subway", "of_times"))
    assert "ends the server itself" in str(why("subway", "that_ends_the_server"))
    assert "all cases that share it" in str(why("subway", "that_shares_what_it_saw"))
    assert why("hotel-wifi", "of_real_clients") is None
    assert "do not look for another way" in str(why("hotel-wifi", "of_a_bare_connection"))
    assert why("office-firewall", "of_a_bare_connection") is None


def test_bare_connections_go_by_a_port_that_no_phase_closes() -> None:
    assert weather("office-firewall").open_port("tcp") == 443
    assert weather("hotel-wifi").open_port("tcp") is None
    assert weather("hotel-wifi").open_port("longpoll") == 80
    assert weather("subway").open_port("tcp") == 14000


def test_what_a_table_gives_a_case_it_does_not_ask_for(cases: dict[str, pytest.Item]) -> None:
    assert parameters(cases["with_a_table"]) == {"block", "phone"}


def test_a_plan_brings_its_own_clauses_unless_others_are_asked_for() -> None:
    assert ConformSettings(fault_plans=["subway"]).wanted == CLAUSES
    assert ConformSettings(fault_plans=["subway"], clauses=["SEC.*"]).wanted == ["SEC.*"]
    assert ConformSettings().wanted == ()
    assert (column("subway", "tcp"), column("subway", "ws")) == ("subway", "subway-ws")


def test_where_processes_hold_connections_each_carrier_has_a_port() -> None:
    outage = weather("datacentre-outage")
    assert [url.partition(":")[0] for url in outage.listen] == ["tcp", "tls", "wss", "ws", "http"]
    assert [url.partition(":")[0] for url in weather("subway").listen] == [*["any"] * 4, "http"]


def test_the_resolver_is_nobodys_to_break_here() -> None:
    with pytest.raises(Exception, match="dns is a fault of a swarm"):
        Company(1).resolve("dead")


def test_cases_pass_while_bytes_come_in_pieces_and_connections_end(tmp_path: Path) -> None:
    plan, out = tmp_path / "pieces.toml", tmp_path / "out"
    plan.write_text(
        'about = "in pieces"\n[[phase]]\nname = "all"\nduration = "5s"\n'
        'faults = ["slicer=20±10", "reset at 4s"]\n'
    )
    words = [sys.executable, "-m", "chatproof", "conform", "--fault-plan", str(plan), "--clause", "ORD.1"]
    done = subprocess.run([*words, "--out", str(out)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads((out / "conformance.json").read_text())
    assert told["carriers"] == ["pieces"]
    assert told["clauses"]["ORD.1"]["carriers"]["pieces"]["verdict"] == "pass"


def test_a_plan_with_a_fault_that_cannot_be_is_no_pass(tmp_path: Path) -> None:
    plan = tmp_path / "impossible.toml"
    plan.write_text(
        'about = "no such process"\n[[phase]]\nname = "all"\nduration = "5s"\nfaults = ["kill on access"]\n'
    )
    words = [sys.executable, "-m", "chatproof", "conform", "--fault-plan", str(plan), "--clause", "STO.1"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "ended with 4: fault plan" in done.stdout
