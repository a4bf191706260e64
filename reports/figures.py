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
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 1e3 else f"{value:.3g}"


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


def percent(fraction: float) -> str:
    """A share of 1 as `share` says it."""
    return share(fraction, 1)


def size(size_bytes: float) -> str:
    """Bytes in powers of 1,000."""
    for limit, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "KB")):
        if abs(size_bytes) >= limit:
            return f"{_three(size_bytes / limit)} {unit}"
    return f"{size_bytes:.0f} B"


def bits(value: float) -> str:
    """Bits a second in powers of 1,000."""
    for limit, unit in ((1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s")):
        if abs(value) >= limit:
            return f"{_three(value / limit)} {unit}"
    return f"{value:.0f} bit/s"


def second(seconds: float) -> str:
    """A moment of the run: `42 s`, `42.5 s`, `−3 s`."""
    text = f"{round(seconds, 1) + 0.0:.1f}".removesuffix(".0")
    return f"{text} s".replace("-", "−")


def milliseconds(value: float) -> str:
    """A moment to the millisecond: `4.201 s`, `−0.5 s`."""
    return f"{round(value, 3) + 0.0:,.3f} s".replace("-", "−")


def cores(value: float) -> str:
    """Processors kept busy: `0.42`, `12.5`."""
    return f"{value:.2f}" if value < 10 else f"{value:,.1f}"


def rate(value: float) -> str:
    """So many a second: `310`, `12.5 k`, `0.4`."""
    return count(float(f"{value:.3g}")) if value else "0"


def bare(value: float) -> str:
    """A number as it was given: `60`, `0.5`; a seed without thousands apart."""
    return str(int(value)) if value == int(value) else str(value)


def digits(value: float) -> str:
    """Any other number: whole ones in full, others to four digits."""
    if isinstance(value, int) or abs(value) >= 1e4:
        return exact(value)
    return f"{value:,.4g}"


def plural(number: float, one: str, many: str = "") -> str:
    """`1 fault`, `2 faults`, `no faults`."""
    word = one if number == 1 else many or f"{one}s"
    return f"{exact(number) if number else 'no'} {word}"


def _three(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
