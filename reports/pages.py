"""Pages from templates: one self-contained HTML file each, in the same look."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reports import palette
from reports.telling import marked, plain


def page(template: str, **content: Any) -> str:
    """The HTML of a template of `templates/`, most of which extend base.html.

    Its filters: `variable` (a colour of the palette as CSS), `told` (a text with marked numbers, and the
    place of its figures in summary.json if its marks are relative), `plain` (the same without marks).
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"variable": palette.variable, "told": marked, "plain": plain}
    return environment.get_template(template).render(
        light=palette.css("light"), dark=palette.css("dark"), **content
    )
