"""The page as a browser and a reader who sees nothing get it."""

import importlib.util
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from reports import chart as charts
from reports.build import build_report
from reports.chart import all_charts

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """Fails on tags that do not match; keeps every element as (name, attributes)."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(html)
        assert not self._open, f"left open: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag

    def all(self, *names: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag in names]


def unmarked(html: str) -> str:
    """Without the elements around numbers."""
    return re.sub(r"</?data[^>]*>", "", html)


@pytest.fixture(scope="module")
def html(finished: Path) -> str:
    return (finished / "report.html").read_text()


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_nothing_is_fetched(html: str, page: Page) -> None:
    assert not re.search(r"(?:https?:|file:|data:)//|@import|<script[^>]* src|<link", html)
    assert re.findall(r"url\((?!#)", html) == []
    for _, attributes in page.elements:
        for name in ("src", "href", "xlink:href"):
            assert (attributes.get(name) or "#").startswith("#"), attributes


def test_it_stays_under_three_megabytes(html: str) -> None:
    assert len(html.encode()) < 3_000_000


def test_language_title_and_one_first_heading(html: str, page: Page) -> None:
    assert page.all("html")[0]["lang"] == "en"
    assert "<title>Fail – broken – Chatproof report</title>" in html
    assert len(page.all("h1")) == 1


def test_headings_never_skip_a_level(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels


def test_every_id_is_unique_and_every_reference_has_a_target(html: str, page: Page) -> None:
    ids = [str(attributes["id"]) for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    wanted = set(re.findall(r"url\(#([^)]+)\)", html))
    wanted |= {str(a["xlink:href"])[1:] for _, a in page.elements if "xlink:href" in a}
    wanted |= {str(a["href"])[1:] for a in page.all("a")}
    assert wanted <= set(ids)


def test_every_chart_is_told_to_those_who_cannot_see_it(page: Page) -> None:
    drawings = page.all("svg")
    assert len(drawings) >= 2 * 13
    assert all(one["role"] == "img" and len(one["aria-label"] or "") > 40 for one in drawings)


def test_what_scrolls_can_be_reached_with_the_keyboard(page: Page) -> None:
    boxes = [a for _, a in page.elements if "scroll" in (a.get("class") or "").split()]
    assert boxes
    assert all(box["tabindex"] == "0" and box["aria-label"] for box in boxes)


def test_every_chart_is_there_and_none_failed(html: str) -> None:
    assert all(f'id="{chart.anchor}"' in html for chart in all_charts())
    assert 'class="error"' not in html


def test_charts_take_their_colours_from_the_theme(html: str) -> None:
    drawings = re.findall(r"<svg.*?</svg>", html, re.S)
    assert not [colour for one in drawings for colour in re.findall(r"#[0-9a-f]{6}\b", one)]


def test_the_first_words_are_the_verdict(html: str) -> None:
    text = unmarked(html)
    assert text.index(
        "2 checks failed: completeness (3 lost, 1 altered, 1 unexpected, 2 duplicated)"
    ) < text.index("<svg")
    assert "exit code 1" in text


def test_witnesses_show_their_rows(html: str) -> None:
    assert html.count('class="card witness"') >= 3
    assert '<table class="rows">' in html


def test_the_same_run_gives_the_same_bytes(run: Path) -> None:
    first = build_report(run).read_bytes()
    assert build_report(run).read_bytes() == first


def test_hostile_names_stay_text(run: Path) -> None:
    evil = '<script>alert("$x^2$")</script>'
    names = pl.read_parquet(run / "tables" / "conversations.parquet").with_columns(name=pl.lit(evil))
    names.write_parquet(run / "tables" / "conversations.parquet")
    summary = json.loads((run / "summary.json").read_text()) | {"scenario": evil, "target": "'><img src=x>"}
    (run / "summary.json").write_text(json.dumps(summary))
    (run / "plan.toml").write_text("</pre><script>1</script>")
    faults = [json.loads(line) for line in (run / "faults.jsonl").read_text().splitlines()]
    (run / "faults.jsonl").write_text("".join(json.dumps(fault | {"name": evil}) + "\n" for fault in faults))
    html = build_report(run).read_text()
    assert "<script>alert" not in html
    assert "<script>1" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html
    Page(html)


def test_a_chart_that_fails_is_shown_as_failed_and_logged(
    run: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def explode(*_: Any) -> charts.Chart:
        raise RuntimeError("no such <column>")

    broken = charts.Registered("broken_chart", 15, "Broken", "both", explode)
    monkeypatch.setitem(charts._found, "broken_chart", broken)
    html = build_report(run).read_text()
    assert "This chart could not be drawn.</strong> RuntimeError: no such &lt;column&gt;" in html
    assert "broken_chart" in caplog.text
    assert 'id="latency-over-time"' in html
    Page(html)


@pytest.fixture(scope="module")
def chromium() -> Any:
    """The class that drives a browser, of the browser tests."""
    path = Path(__file__).parents[1] / "browser" / "chromium.py"
    spec = importlib.util.spec_from_file_location("report_chromium", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Chromium


def test_a_browser_shows_it_on_a_phone_and_computes_again(
    chromium: Any, finished: Path, requires: Callable[[str], str]
) -> None:
    with chromium(requires("chromium"), f"file://{finished / 'report.html'}") as browser:
        told = browser.run(
            """
            const field = document.querySelector('[data-input="users"] input');
            const step = (name) => document.querySelector(`[data-step="${name}"]`).textContent;
            const before = step("heartbeats_a_second");
            field.value = "60000000";
            field.dispatchEvent(new Event("input"));
            const unreachable = [...document.querySelectorAll("a, summary, input, pre, .scroll")]
              .filter((one) => one.tabIndex < 0);
            const frame = document.createElement("iframe");
            frame.style.cssText = "width: 400px; height: 800px";
            frame.srcdoc = document.documentElement.outerHTML;
            document.body.append(frame);
            await new Promise((done) => frame.addEventListener("load", done));
            return {
              before, after: step("heartbeats_a_second"),
              sum: document.querySelector('[data-sum="heartbeats_a_second"]').textContent,
              unreachable: unreachable.map((one) => one.outerHTML.slice(0, 80)),
              width: frame.contentDocument.documentElement.scrollWidth,
            };
            """
        )
    assert told["before"] == "167 k"
    assert told["after"] == "1 M"
    assert told["sum"] == "60,000,000 ÷ 60"
    assert told["unreachable"] == []
    assert told["width"] <= 400
