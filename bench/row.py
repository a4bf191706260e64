"""What a benchmark says: rows of figures, ours first, peers after it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """How much to do; the defaults keep every benchmark below half a minute."""

    rows: int = 5_000_000
    clients: int = 10_000
    messages: int = 100_000


@dataclass(frozen=True, slots=True)
class Row:
    """`figures`: value by what it is, unit included. The figures of a peer are compared with those of the
    first row that has them too."""

    what: str
    figures: dict[str, float]
    peer: bool = False


def table(rows: list[Row]) -> str:
    """Aligned columns; beside each figure of a peer, how many times ours it is."""
    columns = list(dict.fromkeys(name for row in rows for name in row.figures))
    ours = {name: row.figures[name] for row in reversed(rows) if not row.peer for name in row.figures}
    lines = [["", *columns]]
    lines += [[row.what, *(_cell(row, name, ours.get(name)) for name in columns)] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *(map(str.rjust, line[1:], widths[1:]))]).rstrip()
        for line in lines
    )


def _cell(row: Row, name: str, ours: float | None) -> str:
    if name not in row.figures:
        return ""
    value = row.figures[name]
    shown = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{shown} (×{value / ours:.2g})" if row.peer and ours else shown
