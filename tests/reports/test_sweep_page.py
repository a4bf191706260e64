"""The page of a sweep, and every number of it in sweep.json."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from reports.capacity.page import build_sweep
from reports.errors import ReportError


def _numbers() -> ModuleType:
    spec = importlib.util.spec_from_file_location("numbers_walk", Path(__file__).with_name("test_numbers.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def told(swept: Path) -> Any:
    return json.loads((swept / "sweep.json").read_text())


def test_every_number_is_in_sweep_json(swept: Path, told: Any) -> None:
    numbers = _numbers()
    walk = numbers.Walk((swept / "sweep.html").read_text())
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


def test_nothing_is_fetched_and_no_chart_failed(swept: Path) -> None:
    html = (swept / "sweep.html").read_text()
    assert "src=" not in html
    assert "http" not in html
    assert 'class="error"' not in html
    assert '<a href="01000/report.html">' in html


def test_a_page_made_again_is_the_same(swept: Path) -> None:
    before = (swept / "sweep.html").read_bytes()
    assert build_sweep(swept).read_bytes() == before


def test_a_folder_without_a_sweep_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"sweep\.json"):
        build_sweep(tmp_path)
