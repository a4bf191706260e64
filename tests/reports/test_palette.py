"""Everything can be told apart from the page, on a light and on a dark screen."""

import pytest

from reports.palette import COLOURS, FAULT_HUES, OUTCOME_COLOURS, ROUTE_COLOURS, variable

GROUNDS = ("page", "card", "rule")
FAULT_NAMES = ("orange", "purple", "blue", "vermillion", "green", "grey")


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
def test_texts_and_shapes_reach_wcag_aa(theme: str, ground: str) -> None:
    behind = getattr(COLOURS[ground], theme)
    for name, colour in COLOURS.items():
        if name not in GROUNDS:
            assert contrast(getattr(colour, theme), behind) >= 4.5, name


TINTS = {
    "verdict": (("green", "vermillion", "grey"), 0.09),
    "band": (FAULT_NAMES, 0.17),
    "line": (("blue",), 0.12),
}
"""Grounds that style.css mixes: hues over the card or the page, and how much of them."""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("tint", TINTS)
def test_text_on_a_tinted_ground_reaches_wcag_aa(theme: str, tint: str) -> None:
    hues, share = TINTS[tint]
    for hue in hues:
        for ground in ("card", "page"):
            behind = mixed(getattr(COLOURS[hue], theme), getattr(COLOURS[ground], theme), share)
            assert contrast(getattr(COLOURS["ink"], theme), behind) >= 4.5, (hue, ground)


def test_the_word_of_a_verdict_reaches_wcag_aa_as_large_text() -> None:
    for theme in ("light", "dark"):
        for hue in ("green", "vermillion"):
            tone = getattr(COLOURS[hue], theme)
            assert contrast(tone, mixed(tone, getattr(COLOURS["card"], theme), 0.09)) >= 3, (theme, hue)


def mixed(colour: str, ground: str, share: float) -> str:
    """`color-mix(in srgb, colour share, ground)`."""
    parts = [
        round(share * int(colour[i : i + 2], 16) + (1 - share) * int(ground[i : i + 2], 16))
        for i in (1, 3, 5)
    ]
    return "#" + "".join(f"{part:02x}" for part in parts)


def test_every_colour_that_charts_use_follows_the_theme() -> None:
    used = {*FAULT_HUES, *OUTCOME_COLOURS.values(), *ROUTE_COLOURS.values()}
    assert all(variable(colour).startswith("var(--") for colour in used)


def test_no_two_names_share_a_light_value() -> None:
    assert len({colour.light for colour in COLOURS.values()}) == len(COLOURS)
