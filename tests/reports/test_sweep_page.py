"""The page of a sweep, and every number of it in sweep.json."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from reports.capacity.observed import Observed, Side
from reports.capacity.page import build_sweep
from reports.capacity.sweep import Done, Sweep
from reports.errors import ReportError


def _numbers() -> ModuleType:
    spec = importlib.util.spec_from_file_location("numbers_walk", Path(__file__).with_name("test_numbers.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def step(n: int, frames: float, code: int = 0) -> Done:
    observed = Observed(
        connections=n, load_s=10.0, heartbeat_s=60.0, heartbeats_a_second=frames / 4,
        messages_a_second=frames / 8, deliveries_a_second=frames / 8, frames_a_second=frames,
        server=Side(frames / 60_000, 50_000_000 + 900 * n, 900), swarm=Side(frames / 50_000, 60_000_000, 700),
        kernel_bytes_an_end=None, wire_heartbeat_bytes=None, wire_message_bytes=None,
        machine_cores=2, machine_memory_bytes=16_000_000_000, overloaded=False,
    )  # fmt: skip
    missed = ["latency_ms.deliver.p99 < 50"] if code == 99 else []
    return Done(f"{n:05d}", n, n / 10, code, "pass", False, missed, [], 2.0 + n / 100, 1.5, observed)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("swept") / "sweep"
    folder.mkdir()
    loads = [(1_000, 2_900.0), (2_000, 5_650.0), (4_000, 10_400.0), (8_000, 16_300.0), (16_000, 18_100.0)]
    steps = [step(n, frames, 99 if n == 16_000 else 0) for n, frames in loads]
    sweep = Sweep("chatproof sweep plan.toml", "plan.toml", steps, 6, "a threshold was missed: x < 1")
    (folder / "sweep.json").write_bytes(msgspec.json.encode(sweep))
    build_sweep(folder)
    return folder


@pytest.fixture(scope="module")
def told(folder: Path) -> Any:
    return json.loads((folder / "sweep.json").read_text())


def test_every_number_is_in_sweep_json(folder: Path, told: Any) -> None:
    numbers = _numbers()
    walk = numbers.Walk((folder / "sweep.html").read_text())
    assert len(walk.told) > 100
    for path, value, say, text in walk.told:
        known = numbers.found(told, path)
        assert repr(known) == value, path
        assert text == getattr(numbers.figures, say)(known), path
    texts = numbers.texts_of(told)
    for text in walk.loose:
        assert not numbers.numbers_left(text, texts), text


def test_the_page_says_where_it_held_and_where_the_knee_is(told: Any) -> None:
    assert told["figures"]["sweep"]["held_connections"] == 8_000
    law = told["figures"]["throughput"]
    assert law["knee"] == pytest.approx(13_400, rel=0.01)
    assert law["knee_low"] <= law["knee"]


def test_nothing_is_fetched_and_no_chart_failed(folder: Path) -> None:
    html = (folder / "sweep.html").read_text()
    assert "src=" not in html
    assert "http" not in html
    assert 'class="error"' not in html
    assert '<a href="01000/report.html">' in html


def test_a_page_made_again_is_the_same(folder: Path) -> None:
    before = (folder / "sweep.html").read_bytes()
    assert build_sweep(folder).read_bytes() == before


def test_a_folder_without_a_sweep_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"sweep\.json"):
        build_sweep(tmp_path)
