"""A synthetic run, made once, and small histories written by hand."""

import importlib.util
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ledger.reader import Ledger
from ledger.run_folder import Fault, Phases
from reports.build import build_report
from reports.evidence import Evidence

S = 1_000_000_000


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def synthetic() -> ModuleType:
    """The module that writes run folders."""
    _load("synthetic_processes")
    return _load("synthetic_run")


@pytest.fixture(scope="session")
def finished(synthetic: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with its report, of a broken server: 200 devices, 30 messages a second."""
    folder = synthetic.write(tmp_path_factory.mktemp("runs") / "broken", synthetic.Size(devices=200, rate=30))
    build_report(folder)
    return folder


@pytest.fixture(scope="session")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sweep with its page."""
    folder: Path = _load("synthetic_sweep").write(tmp_path_factory.mktemp("swept") / "sweep")
    return folder


@pytest.fixture
def run(synthetic: ModuleType, tmp_path: Path) -> Path:
    """A small run folder of one's own to take things away from."""
    return synthetic.write(tmp_path / "run", synthetic.Size(devices=40, rate=5))


Tell = Callable[..., Evidence]


@pytest.fixture
def tell() -> Tell:
    """Evidence of a history: rows as dicts with `at_s`; two users with a device each in one conversation."""

    def _tell(
        rows: Iterable[Mapping[str, Any]],
        faults: Iterable[Fault] = (),
        samples: Iterable[Mapping[str, Any]] = (),
        name: str = "u0:u1",
    ) -> Evidence:
        logins = [{"at_s": -1.0, "event": "login", "device": device, "via": "tcp:14000"} for device in (0, 1)]
        told = [
            {key: value for key, value in row.items() if not key.endswith("_s")}
            | {"at_ns": int((100 + row["at_s"]) * S)}
            | ({"planned_ns": int((100 + row["planned_s"]) * S)} if "planned_s" in row else {})
            for row in [*logins, *rows]
        ]
        ledger = Ledger.from_rows(
            told,
            devices=[(0, 0, "u0", "d0"), (1, 1, "u1", "d1")],
            conversations=[(0, name)],
            members=[(0, 0), (0, 1)],
            phases=Phases(98 * S, 100 * S, 110 * S, 112 * S),
            faults=faults,
            samples=samples,
        )
        return Evidence(ledger)

    return _tell


def _message(
    n: int, at_s: float, took_s: float | None, *, acked: bool = True, **delivered: Any
) -> list[dict[str, Any]]:
    own = {"message": n, "conversation": 0}
    rows: list[dict[str, Any]] = [{"at_s": at_s, "planned_s": at_s, "event": "send", "device": 0, **own}]
    if acked:
        rows.append({"at_s": at_s + 0.01, "event": "acked", "device": 0, "sequence": n, **own})
    if took_s is not None:
        shown = {"via": "push", "code": 0, "sequence": n, **delivered}
        rows.append({"at_s": at_s + took_s, "event": "delivered", "device": 1, **own, **shown})
    return rows


@pytest.fixture
def message() -> Callable[..., list[dict[str, Any]]]:
    """The rows of one message from device 0 to device 1; `took_s` None: never delivered."""
    return _message
