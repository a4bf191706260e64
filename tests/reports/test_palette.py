"""Everything can be told apart from the page, on a light and on a dark screen."""

import pytest

from reports.palette import COLOURS, FAULT_HUES, OUTCOME_COLOURS, ROUTE_COLOURS, variable

SHAPES = ("blue", "sky", "green", "orange", "vermillion", "purple", "grey")
TEXTS = ("ink", "muted", "green", "orange", "vermillion", "purple")


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("ground", ["card", "page"])
def test_shapes_and_texts_reach_wcag_aa(theme: str, ground: str) -> None:
    behind = getattr(COLOURS[ground], theme)
    for name in SHAPES:
        assert contrast(getattr(COLOURS[name], theme), behind) >= 3, name
    if ground == "card":
        for name in TEXTS:
            assert contrast(getattr(COLOURS[name], theme), behind) >= (
                4.5 if name in ("ink", "muted") else 3.5
            ), name


def test_every_colour_that_charts_use_follows_the_theme() -> None:
    used = {*FAULT_HUES, *OUTCOME_COLOURS.values(), *ROUTE_COLOURS.values()}
    assert all(variable(colour).startswith("var(--") for colour in used)


def test_no_two_names_share_a_light_value() -> None:
    assert len({colour.light for colour in COLOURS.values()}) == len(COLOURS)
