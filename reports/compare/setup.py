"""What differs between sides besides what they measured: a comparison is as good as its setup is alike."""

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from reports.compare.run import Run, Side
from reports.opening import pretty

_OF_THE_PLAN = (
    "scenario", "connections", "rate", "duration", "ramp", "shape", "target", "network", "swarm", "fault",
)  # fmt: skip
_OF_THE_ENVIRONMENT = ("scenario", "heartbeat_s", "machine", "offers")
_NOTHING = "–"


def differences(sides: Sequence[Side]) -> list[tuple[str, list[str]]]:
    """Name and a text for each side, of whatever is not the same in all runs of all sides."""
    told = [[_told(run) for run in side.runs] for side in sides]
    names = sorted({name for side in told for run in side for name in run})
    rows = []
    for name in names:
        values = [list(dict.fromkeys(run.get(name, _NOTHING) for run in side)) for side in told]
        if len({value for side in values for value in side}) > 1:
            rows.append((name, [" or ".join(side) for side in values]))
    return rows


def _told(run: Run) -> dict[str, str]:
    plan, around = _plan(run), run.environment
    found = {key: plan[key] for key in _OF_THE_PLAN if key in plan}
    found |= {key: around[key] for key in _OF_THE_ENVIRONMENT if key in around}
    found |= {"server": run.server, "dialect": run.dialect}
    if isinstance(plan.get("target"), Mapping):
        # Where a server happens to listen, and whose accounts, is no setup.
        found["target"] = {
            key: value for key, value in plan["target"].items() if key not in ("url", "accounts", "endpoints")
        }
    return dict(_flat(found))


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            rows += _flat(value, f"{name}.")
        elif isinstance(value, list):
            rows.append((name, "; ".join(map(_entry, value)) or "none"))
        else:
            rows.append((name, str(value)))
    return rows


def _entry(value: Any) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    return " ".join(f"{key} {word}" for key, word in value.items() if word not in ("", None)) or pretty(value)


def _plan(run: Run) -> dict[str, Any]:
    try:
        return tomllib.loads((run.path / "plan.toml").read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        # A run that Locust started has none; what its environment tells is compared all the same.
        return {}
