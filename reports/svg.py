"""A drawn sheet as SVG that can stand inside an HTML page: themed by CSS, small, with ids of its own."""

import re
from collections.abc import Callable
from io import StringIO
from typing import Any

import matplotlib
from markupsafe import Markup

from reports.canvas import Sheet
from reports.palette import variable

# Text stays text: it can be read aloud, searched and selected, and needs no embedded font.
STYLE: Any = {"svg.fonttype": "none", "svg.hashsalt": "chatproof", "text.parse_math": False}

NARROW_BELOW = 600

_BODY = re.compile(r"<svg\b[^>]*?viewBox=\"(?P<box>[^\"]+)\"[^>]*>(?P<body>.*)</svg>", re.S)
_DEAD = re.compile(r"<metadata>.*?</metadata>|<!--.*?-->", re.S)
_FONT = re.compile(r"font: ([\d.]+)px [^;\"]*")
_DECIMALS = re.compile(r"(\d+\.\d)\d+")
_PATH = re.compile(r' d="[^"]*"', re.S)
_HEX = re.compile(r"#[0-9a-f]{6}")
_ID = re.compile(r"\bid=\"([^\"]+)\"")
_REFERENCE = re.compile(r"(?:url\(#|xlink:href=\"#)")


def render(draw: Callable[[Sheet], None], sheet_size: tuple[int, int], name: str, label: str) -> Markup:
    """What `draw` puts on a sheet of this width and height, as one `<svg role="img">`.

    `name`: makes its ids unique in the page, `label`: read aloud.
    """
    width, height = sheet_size
    with matplotlib.rc_context(STYLE):
        sheet = Sheet(width, height, narrow=width < NARROW_BELOW)
        draw(sheet)
        text = StringIO()
        sheet.figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    found = _BODY.search(text.getvalue())
    if found is None:
        raise ValueError("matplotlib wrote something that is no SVG")
    body = _themed(_slim(found["body"]), name)
    return Markup('<svg viewBox="{}" role="img" aria-label="{}">{}</svg>').format(
        found["box"], label, Markup(body)
    )


def _slim(body: str) -> str:
    body = _DEAD.sub("", body)
    body = _PATH.sub(lambda match: _DECIMALS.sub(r"\1", " ".join(match[0].split())).join((" ", "")), body)
    return re.sub(r"\n\s*", "\n", body)


def _themed(body: str, name: str) -> str:
    body = _ID.sub(rf'id="{name}-\1"', body)
    body = _REFERENCE.sub(lambda match: f"{match[0]}{name}-", body)
    body = _FONT.sub(r"font-size: \1px", body)
    return _HEX.sub(lambda match: variable(match[0]), body)
