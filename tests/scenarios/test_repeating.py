"""The command that a run leaves behind does the same once more."""

import shlex
from collections.abc import Sequence
from typing import Any

import pytest
from locust import User, argument_parser
from locust.env import Environment

import scenarios.chat
import scenarios.heartbeat
from chaos.plan import FaultSpec, parse_fault
from scenarios.breaking import BreakOptions
from scenarios.options import SwarmOptions
from scenarios.repeating import command_of
from scenarios.shapes.steps import Steps

_FILES = "scenarios/chat.py,scenarios/heartbeat.py"
_TARGET = "chat+tcp://127.0.0.1:14000"


def begun(*words: str, shape: Any = None, shapes: Any = None) -> Environment:
    """As a run that Locust was started with these words for, and whose options can still be changed."""
    options = argument_parser.get_parser().parse_args(["-f", _FILES, *words])
    kinds: list[type[User]] = [scenarios.chat.Chat]
    environment = Environment(
        user_classes=kinds, shape_class=shape, parsed_options=options, host=options.host,
        available_shape_classes=shapes,
    )  # fmt: skip
    environment.create_local_runner()
    return environment


def parsed(command: str) -> Any:
    locust, *words = shlex.split(command)
    assert locust == "locust"
    return argument_parser.get_parser().parse_args(words)


def repeated(
    environment: Environment, took_s: float | None = None, faults: Sequence[FaultSpec] | None = None
) -> Any:
    return parsed(command_of(environment, took_s, faults))


def test_what_the_command_line_said_is_said_again() -> None:
    words = (
        "--host", _TARGET, "-u", "4", "-r", "2.5", "-t", "90s", "--cohort", "20", "--seed", "7", "--proxies",
        "--away-share", "0", "--accounts", "my accounts.csv", "--faults", "latency=5ms at 3s; cut=20%",
        "--processes", "2", "--master-port", "9", "--stop-timeout", "3", "--run-dir", "there",
    )  # fmt: skip
    before: Any = begun(*words).parsed_options
    after = repeated(begun(*words))
    assert after.headless
    assert after.user_classes == ["Chat"]
    load = ("num_users", "spawn_rate", "run_time", "processes", "master_port", "stop_timeout")
    for name in ("locustfile", "host", *load):
        assert getattr(after, name) == getattr(before, name), name
    assert BreakOptions.from_namespace(after) == BreakOptions.from_namespace(before)
    before.run_dir = ""
    assert SwarmOptions.from_namespace(after) == SwarmOptions.from_namespace(before)


def test_what_was_left_as_it_is_is_not_said_but_the_seed() -> None:
    assert command_of(begun("--host", _TARGET)) == (
        f"locust -f {_FILES} Chat --headless --host {_TARGET} --users 1 --spawn-rate 1 --seed 1"
    )


def test_what_the_page_said_goes_over_the_command_line() -> None:
    environment = begun("--host", "chat+tcp://elsewhere:1", "--cohort", "20")
    environment.host = _TARGET
    said = {"num_users": 8, "spawn_rate": 4.0, "cohort": 50, "proxies": True, "group_share": 0.5}
    vars(environment.parsed_options).update(said)
    after = repeated(environment)
    assert (after.host, after.num_users, after.spawn_rate) == (_TARGET, 8, 4.0)
    assert (after.cohort, after.proxies, after.group_share) == (50, True, 0.5)


def test_how_long_it_was_and_what_was_switched_on_goes_over_what_was_asked_for() -> None:
    faults = [parse_fault("latency=50ms at 2.5s for 4s on access-1"), parse_fault("cut=20% at 9s")]
    environment = begun("--host", _TARGET, "-t", "1h", "--faults", "reset at 20m")
    after = repeated(environment, 12.4, faults)
    assert (after.run_time, after.faults) == (12, "; ".join(fault.as_text() for fault in faults))
    assert BreakOptions.from_namespace(after).specs() == faults
    assert repeated(environment, 0.1, []).run_time == 1
    assert repeated(environment, 0.1, []).faults == ""


def test_a_shape_stretches_over_the_time_that_was_asked_for() -> None:
    shape: Any = Steps()
    environment = begun("--host", _TARGET, "-t", "300s", shape=shape, shapes={"Steps": shape})
    assert repeated(environment, 40.0).run_time == 300


def test_there_is_none_where_locust_would_do_something_else() -> None:
    assert command_of(begun("--host", _TARGET, shapes={"Steps": Steps()})) == ""
    assert command_of(Environment(user_classes=[])) == ""


@pytest.mark.parametrize("secret", [True, False])
def test_a_secret_stays_one(secret: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    real = argument_parser.get_parser

    def with_one() -> Any:
        parser = real()
        parser.add_argument("--token", default="", is_secret=secret)
        return parser

    monkeypatch.setattr(argument_parser, "get_parser", with_one)
    assert ("hunter2" in command_of(begun("--host", _TARGET, "--token", "hunter2"))) is not secret
