"""Every number that the page shows is found again in summary.json, said as the page says it."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reports import figures
from reports.capacity.observed import Observed
from reports.telling import Telling, figure, marked, plain

VERBATIM = ("pre", "style", "script", "title")
"""Files of the run folder as they are, and what is no text of the page."""

NAMES = re.compile(r"\bp50\b|\bp90\b|\bp99\b|\bp999\b|\b99\.9 %|\b99 %|\b90 %|\b95 %")
"""Quantiles are called by these; a name is no figure of the run."""


class Walk(HTMLParser):
    """`told`: path, value, how it is said and text of each marked number; `loose`: the texts outside of marks
    and drawings; `drawn`: by chart, texts of drawings that are no labels of an axis."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.told: list[tuple[str, str, str, str]] = []
        self.loose: list[str] = []
        self.drawn: list[tuple[str, str]] = []
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "link", "br", "img", "input", "hr"}:
            self._open.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        self._open.pop()

    def handle_data(self, data: str) -> None:
        tags = [tag for tag, _ in self._open]
        if not data.strip() or any(tag in VERBATIM for tag in tags):
            return
        if "svg" in tags:
            ids = [str(attributes.get("id", "")) for _, attributes in self._open]
            if not any(re.search(r"[xy]tick_\d+$", one) for one in ids):
                chart = next(one for one, (tag, _) in zip(ids, self._open, strict=True) if tag == "figure")
                self.drawn.append((chart.removeprefix("glance-").replace("-", "_"), data.strip()))
        elif tags[-1] == "data":
            attributes = self._open[-1][1]
            place, value, say = (str(attributes[name]) for name in ("data-figure", "value", "data-say"))
            self.told.append((place, value, say, data))
        else:
            self.loose.append(data)


@pytest.fixture(scope="module")
def summary(finished: Path) -> Any:
    return json.loads((finished / "summary.json").read_text())


@pytest.fixture(scope="module")
def walk(finished: Path) -> Walk:
    return Walk((finished / "report.html").read_text())


def found(summary: Any, path: str) -> Any:
    """The value at a dotted path; names with dots in them are tried as a whole first."""
    if not path:
        return summary
    if isinstance(summary, list):
        first, _, rest = path.partition(".")
        return found(summary[int(first)], rest)
    known = [name for name in summary if path == name or path.startswith(f"{name}.")]
    assert known, f"summary.json has no {path}; there are {list(summary)}"
    name = max(known, key=len)
    return found(summary[name], path[len(name) + 1 :])


def leaves(value: Any) -> Iterator[Any]:
    """Every number and text at any depth, and every name."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    elif value is not None:
        yield value


def test_every_marked_number_is_in_the_summary(walk: Walk, summary: Any) -> None:
    assert len(walk.told) > 150
    for path, value, say, text in walk.told:
        known = found(summary, path)
        assert repr(known) == value, path
        assert text == getattr(figures, say)(known), path


def test_no_number_is_without_a_mark(walk: Walk, summary: Any) -> None:
    told = texts_of(summary)
    for text in walk.loose:
        assert not numbers_left(text, told), text


def texts_of(told: Any) -> list[str]:
    """Every text with a letter in it, the longest first."""
    found = {leaf for leaf in leaves(told) if isinstance(leaf, str) and re.search(r"[A-Za-z]", leaf)}
    return sorted(found, key=len, reverse=True)


def numbers_left(text: str, told: list[str]) -> list[str]:
    """The words with a digit in them, without names of quantiles and what is a text of the summary: a
    witness, a limit, a device, a path, a conversation."""
    rest = text
    for one in told:
        if re.search(r"\d", one):
            rest = rest.replace(one, "")
    return [word for word in NAMES.sub("", rest).split() if re.search(r"\d", word)]


def test_every_number_in_a_drawing_is_a_figure_of_its_chart(walk: Walk, summary: Any) -> None:
    assert len(walk.drawn) > 20
    for chart, text in walk.drawn:
        if not re.search(r"\d", NAMES.sub("", text)):
            continue
        known = [*leaves(summary["figures"].get(chart)), *leaves(summary["checks"]["completeness"])]
        texts = [leaf for leaf in known if isinstance(leaf, str) and re.search(r"[A-Za-z]", leaf)]
        left = text
        for one in sorted(texts, key=len, reverse=True):
            left = left.replace(one, "")
        for number in re.findall(r"[<>]? ?[\d.,]+(?: ?(?:%|s|ms|µs|k|M))?", NAMES.sub("", left)):
            assert number.strip() in said(known), f"{chart}: {number!r} of {text!r}"


def said(values: list[Any]) -> set[str]:
    """The numbers in each of the ways in which they may be written."""
    numbers = [one for one in values if isinstance(one, int | float) and not isinstance(one, bool)]
    ways = (figures.exact, figures.count, figures.duration, figures.second, figures.percent, figures.size)
    return {say(number) for say in ways for number in numbers}


def test_a_mark_is_the_number_for_readers_and_its_place_for_programs() -> None:
    tell = Telling()
    text = f"{tell('a.b', figures.duration, 41.24)} of {figure('c', figures.exact, 1200)} <b>"
    assert plain(text) == "41.2 ms of 1,200 <b>"
    assert tell.figures == {"a": {"b": 41.24}}
    html = marked(text, "figures.x")
    assert '<data value="41.24" data-figure="figures.x.a.b" data-say="duration">41.2 ms</data>' in html
    assert 'data-figure="c"' in html
    assert "&lt;b&gt;" in html


def test_a_sweep_finds_what_it_needs_in_the_summary(summary: Any) -> None:
    told = summary["figures"]["capacity"]
    observed = msgspec.convert(told["observed"], Observed)
    assert observed.connections == 200
    assert observed.messages_a_second == pytest.approx(30, rel=0.05)
    assert observed.server.cores == pytest.approx(0.41, rel=0.05)
    assert told["steps"]["machines"] >= 2
