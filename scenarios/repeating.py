"""The command that repeats a run which somebody began with Locust, on its page or without."""

import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from locust import argument_parser
from locust.env import Environment
from locust.runners import MasterRunner

from chaos.plan import FaultSpec

_OF_LOCUST = (
    "processes", "master_bind_host", "master_bind_port", "master_host", "master_port", "tags", "exclude_tags",
    "equal_weights", "stop_timeout",
)  # fmt: skip
"""Of Locust's own options, beside those that are always said, the ones on which a run depends."""
_OF_ONE_RUN = ("run_dir", "on_command", "faults")


def command_of(
    environment: Environment, took_s: float | None = None, faults: Sequence[FaultSpec] | None = None
) -> str:
    """The same scenario, target, options and seed, without a page. `took_s`: from the first connection to the
    end of the load, `faults`: counted from when everybody was online; both as asked for while they are None.

    "" where there is none: the run was not begun by Locust's command line, or Locust would choose a load
    shape that the run did not have.
    """
    if environment.parsed_options is None:
        return ""
    if environment.shape_class is None and environment.available_shape_classes:
        return ""
    options = vars(environment.parsed_options)
    names = sorted(kind.__name__ for kind in environment.user_classes)
    words = ["locust", "-f", str(options["locustfile"]), *names, "--headless"]
    words += ["--host", environment.host or ""]
    words += _amount(environment, options, took_s)
    if isinstance(environment.runner, MasterRunner) and not options.get("processes"):
        words += ["--master", "--expect-workers", str(environment.runner.worker_count)]
    words += _differing(options)
    asked = options.get("faults", "") if faults is None else "; ".join(spec.as_text() for spec in faults)
    return shlex.join([*words, *(["--faults", asked] if asked else [])])


def _amount(environment: Environment, options: dict[str, Any], took_s: float | None) -> Iterator[str]:
    """How many users, how fast, for how long."""
    shape = environment.shape_class
    if shape is not None and not shape.use_common_options:
        return
    yield from ("--users", str(options.get("num_users") or 1))
    yield from ("--spawn-rate", f"{options.get('spawn_rate') or 1:g}")
    # A shape stretches over the time that was asked for; without one the run ended when it did.
    time_s = options.get("run_time") if shape is not None or took_s is None else max(round(took_s), 1)
    if time_s:
        yield from ("--run-time", f"{time_s}s")


def _differing(options: dict[str, Any]) -> Iterator[str]:
    """What was not left as it is by default, and the seed. Nothing secret."""
    parser, locusts = argument_parser.get_parser(), argument_parser.default_args_dict()
    for name in _OF_LOCUST:
        if (value := options.get(name, locusts[name])) != locusts[name]:
            yield from _said("--" + name.replace("_", "-"), value)
    left_out = {*locusts, *_OF_ONE_RUN, *parser.secret_args_included_in_web_ui}
    for name, action in parser.args_included_in_web_ui.items():
        value = options.get(name, action.default)
        if name not in left_out and (value != action.default or name == "seed"):
            yield from _said(action.option_strings[-1], value)


def _said(flag: str, value: Any) -> Iterator[str]:
    yield flag
    if not isinstance(value, bool):
        yield from map(str, value) if isinstance(value, list) else (str(value),)
