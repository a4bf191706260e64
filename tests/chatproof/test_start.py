"""`chatproof run --start mosquitto`: a swarm on a server that others wrote, with a fault and a verdict."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import chatproof

from chaos.errors import ChaosError
from chatproof.errors import WrongUse
from chatproof.plan import Plan, Target
from chatproof.started import StartedServer


def test_a_run_on_mosquitto_is_complete_in_order_and_says_what_is_not_offered(
    requires: Callable[[str], str], tmp_path: Path
) -> None:
    requires("mosquitto")
    ended = chatproof(
        "run", "--start", "mosquitto", "--query", "version=5&qos=2", "--connections", "60", "--rate", "40",
        "--duration", "3s", "--ramp", "1s", "--fault", "kill at 1s on server-gently", "--no-report",
        "--out", "run", cwd=tmp_path,
    )  # fmt: skip
    assert (ended.code, ended.left) == (0, ()), ended.out + ended.err
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    checks = summary["checks"]
    assert checks["completeness"]["verdict"] == checks["ordering"]["verdict"] == "pass"
    assert (checks["ordering"]["by"], checks["completeness"]["lost"]) == ("sender", 0)
    assert checks["durability"]["kills"] == 1
    assert checks["unread"]["reason"] == "not offered: mqtt has no unread counts"
    environment = json.loads((tmp_path / "run" / "environment.json").read_text())
    assert (environment["dialect"], environment["offers"]) == ("mqtt", ["multi_device", "offline"])


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        (Plan(target=Target(start="nothing")), "there are mosquitto, ngircd, prosody"),
        (Plan(target=Target(start="mosquitto", url="mqtt://127.0.0.1")), "leave out one"),
        (
            Plan(target=Target(start="mosquitto"), swarm={"package_share": 0.5}),
            "needs packages, which mqtt does not",
        ),
        (Plan(target=Target(url="chat+tcp://127.0.0.1:1")), "needs accounts"),
    ],
)
def test_what_cannot_be_meant_is_one_line(plan: Plan, told: str) -> None:
    with pytest.raises(WrongUse, match=told):
        plan.check()


def test_a_target_that_lets_in_whoever_comes_needs_no_accounts() -> None:
    Plan(target=Target(url="mqtt://127.0.0.1")).check()


def test_of_somebody_elses_server_there_is_only_the_whole() -> None:
    class Stopped:
        name, pids = "mosquitto", ()

    server = StartedServer(Stopped())  # type: ignore[arg-type]
    with pytest.raises(ChaosError, match="there is server and server-gently"):
        server.kill("access")
