"""Numbers as people read them: `1,204`, `12.4 k`, `41.2 ms`, `1.9 s`, `0.02 %`, `5.2 KB`."""

from math import isfinite


def exact(value: float) -> str:
    """A count in full with thousands apart."""
    return f"{round(value):,}"


def count(value: float) -> str:
    """A count short enough for an axis."""
    for limit, unit in ((1e9, " G"), (1e6, " M"), (1e4, " k")):
        if abs(value) >= limit:
            return f"{value / (1e3 if limit == 1e4 else limit):.3g}{unit}"
    return f"{value:,.0f}" if value == round(value) else f"{value:.3g}"


def duration(milliseconds: float) -> str:
    """Milliseconds in the unit that keeps three digits."""
    if not isfinite(milliseconds):
        return "–"
    if abs(milliseconds) < 1:
        return f"{milliseconds * 1000:.3g} µs" if milliseconds else "0 ms"
    if abs(milliseconds) < 1000:
        return f"{_three(milliseconds)} ms"
    if abs(milliseconds) < 120_000:
        return f"{_three(milliseconds / 1000)} s"
    return f"{_three(milliseconds / 60_000)} min"


def share(part: float, whole: float) -> str:
    """A percentage that never says 100 % or 0 % of something that is not."""
    if not whole:
        return "–"
    percent = 100 * part / whole
    if 0 < percent < 0.01:
        return "< 0.01 %"
    if 99.99 < percent < 100:
        return "> 99.99 %"
    return f"{percent:.4g} %" if percent >= 99 else f"{percent:.2g} %"


def size(size_bytes: float) -> str:
    """Bytes in powers of 1,000."""
    for limit, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "KB")):
        if abs(size_bytes) >= limit:
            return f"{_three(size_bytes / limit)} {unit}"
    return f"{size_bytes:.0f} B"


def second(seconds: float) -> str:
    """A moment of the run: `42 s`, `42.5 s`, `−3 s`."""
    text = f"{round(seconds, 1) + 0.0:.1f}".removesuffix(".0")
    return f"{text} s".replace("-", "−")


def plural(number: float, one: str, many: str = "") -> str:
    """`1 fault`, `2 faults`, `no faults`."""
    word = one if number == 1 else many or f"{one}s"
    return f"{exact(number) if number else 'no'} {word}"


def _three(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
