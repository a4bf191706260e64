"""Numbers in texts that stay findable: each carries the place where summary.json has it.

A mark travels inside the text between characters of a private use area, so sentences are written as
sentences. `plain` takes the marks out again, `marked` makes them elements of a page, which a test follows
into summary.json; whatever else is in the text, names of a run above all, is escaped.
"""

import re
from collections.abc import Callable
from math import isfinite
from typing import Any

from markupsafe import Markup, escape

from reports.figures import exact, percent

Say = Callable[[float], str]
"""One of `reports.figures`: how a number is said."""

_OPEN, _PART, _CLOSE = "\ue000", "\ue001", "\ue002"
_MARK = re.compile(_OPEN + f"([^{_PART}]*){_PART}" * 3 + f"([^{_CLOSE}]*){_CLOSE}")


class Telling:
    """The figures that the sentence of one chart or table tells, by name."""

    def __init__(self) -> None:
        self.figures: dict[str, Any] = {}

    def __call__(self, name: str, say: Say, value: float) -> str:
        """The number as it is said, marked and kept as `name` (dots are dicts in dicts)."""
        known = number(value)
        self.note(name, known)
        return figure(f".{name}", say, known)

    def plural(self, name: str, value: int, one: str, many: str = "") -> str:
        """`1 fault`, `2 faults`, `0 faults`, with the number marked."""
        return f"{self(name, exact, value)} {one if value == 1 else many or f'{one}s'}"

    def share(self, name: str, part: float, whole: float) -> str:
        """A percentage, kept as a fraction of 1."""
        return self(name, percent, part / whole) if whole else "–"

    def note(self, name: str, values: Any) -> None:
        """What is drawn and not said: a number, or lists and dicts of numbers and names. Dots in `name` are
        dicts in dicts."""
        *above, last = name.split(".")
        place = self.figures
        for part in above:
            place = place.setdefault(part, {})
        place[last] = values


def number(value: Any) -> Any:
    """As JSON has it: numpy's numbers as Python's, what is not finite as None."""
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not isfinite(value) else value


def figure(path: str, say: Say, value: float | None) -> str:
    """A marked number. `path`: dotted, of summary.json; one that begins with a dot is below the place of its
    text."""
    told = "–" if value is None else say(value)
    return f"{_OPEN}{path}{_PART}{say.__name__}{_PART}{value!r}{_PART}{told}{_CLOSE}"


def plain(text: str) -> str:
    """The text without marks."""
    return _MARK.sub(r"\4", text)


def marked(text: str, place: str = "") -> Markup:
    """The text for a page, each number an element with its place, its value and how it is said."""
    parts, at = [], 0
    for mark in _MARK.finditer(text):
        path, say, value, told = mark.groups()
        parts += [
            escape(text[at : mark.start()]),
            Markup('<data value="{}" data-figure="{}" data-say="{}">{}</data>').format(
                value, place + path if path.startswith(".") else path, say, told
            ),
        ]
        at = mark.end()
    return Markup("").join([*parts, escape(text[at:])])
