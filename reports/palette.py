"""Colours by name, each with a light and a dark value: the hues of Okabe and Ito, which colour-blind people
tell apart, darkened or lightened until they have 4.5:1 against the page, as shapes and as text.

Charts draw with the light value; `svg` turns it into the CSS variable, so one drawing serves both themes.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Colour:
    """One colour as `#rrggbb` on a light and on a dark page."""

    light: str
    dark: str


COLOURS = {
    "ink": Colour("#1a2129", "#e7ecf1"),
    "muted": Colour("#52606d", "#a5b1bd"),
    "rule": Colour("#d9dfe5", "#2c343d"),
    "page": Colour("#f5f7f9", "#0f1318"),
    "card": Colour("#fefefe", "#171c22"),
    "blue": Colour("#0072b2", "#4ba8e0"),
    "green": Colour("#00805d", "#21b88b"),
    "orange": Colour("#9c6000", "#e69f00"),
    "vermillion": Colour("#bd4700", "#ff8245"),
    "purple": Colour("#ad4f86", "#e08fbb"),
    "grey": Colour("#616b76", "#8f9ba7"),
}

INK, MUTED, RULE, CARD = (COLOURS[name].light for name in ("ink", "muted", "rule", "card"))
BLUE, GREEN, ORANGE = (COLOURS[name].light for name in ("blue", "green", "orange"))
VERMILLION, PURPLE, GREY = (COLOURS[name].light for name in ("vermillion", "purple", "grey"))

FAULT_HUES = (ORANGE, PURPLE, BLUE, VERMILLION, GREEN, GREY)
"""Of the bands, by the order in which fault names appear first; then round again."""

OUTCOME_COLOURS = {
    "ok": GREEN,
    "recovered": BLUE,
    "late": ORANGE,
    "lost": VERMILLION,
    "duplicated": PURPLE,
    "altered": PURPLE,
    "unexpected": PURPLE,
    "undetermined": GREY,
}

ROUTE_COLOURS = {"push": BLUE, "retransmitted": GREEN, "pull": ORANGE, "poll": PURPLE}


def variable(light: str) -> str:
    """`var(--blue)` for the light value of blue; a colour that is not of the palette stays as it is."""
    return _VARIABLES.get(light.lower(), light)


def css(theme: str) -> str:
    """The declarations of all variables for `light` or `dark`."""
    return " ".join(f"--{name}: {getattr(colour, theme)};" for name, colour in COLOURS.items())


_VARIABLES = {colour.light: f"var(--{name})" for name, colour in COLOURS.items()}
