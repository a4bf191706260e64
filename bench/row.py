"""What a benchmark says: rows of figures, ours first, peers after it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """How much to do. `connections`, `heartbeat` and `window` (seconds) are of the table; `rows`, `clients`
    and `repeats` of the benchmarks of parts, which stay below half a minute with these. `peers`: file names
    of those that the table has; all if empty. `sizes`: connections of `growth`."""

    connections: int = 10_000
    heartbeat: int = 5
    window: int = 10
    rows: int = 5_000_000
    clients: int = 10_000
    repeats: int = 100_000
    peers: tuple[str, ...] = ()
    sizes: tuple[int, ...] = (10_000, 50_000, 200_000)


@dataclass(frozen=True, slots=True)
class Row:
    """`figures`: value by what it is, unit included. The figures of a peer are compared with those of the
    first row that has them too, and with those of the `floor` if there is one. `note`: why there are none."""

    what: str
    figures: dict[str, float]
    peer: bool = False
    floor: bool = False
    note: str = ""


def table(rows: list[Row]) -> str:
    """Aligned columns. Beside each figure stands how many times the floor's it is, and beside those of a peer
    how many times ours."""
    columns = list(dict.fromkeys(name for row in rows for name in row.figures))
    ours = {name: row.figures[name] for row in reversed(rows) if not row.peer for name in row.figures}
    floor = {name: value for row in rows if row.floor for name, value in row.figures.items()}
    titles = {name: _headings(name, name in floor, any(row.peer for row in rows)) for name in columns}
    lines = [["", *(heading for name in columns for heading in titles[name])]]
    for row in rows:
        cells = [
            cell
            for name in columns
            for cell in _cells(row, name, floor.get(name), ours.get(name))[: len(titles[name])]
        ]
        lines.append([row.what, *([row.note] if row.note else cells)])
    widths = [
        max(len(line[at]) for line in lines if len(line) == len(lines[0])) for at in range(len(lines[0]))
    ]
    widths[0] = max(len(line[0]) for line in lines)
    return "\n".join(_line(line, widths) for line in lines)


def _line(cells: list[str], widths: list[int]) -> str:
    if len(cells) < len(widths):
        return f"{cells[0].ljust(widths[0])}  {' '.join(cells[1:])}".rstrip()
    return "  ".join([cells[0].ljust(widths[0]), *map(str.rjust, cells[1:], widths[1:])]).rstrip()


def _headings(name: str, has_floor: bool, has_peers: bool) -> list[str]:
    return [name, *(["×floor"] if has_floor else []), *(["×ours"] if has_peers else [])]


def _cells(row: Row, name: str, floor: float | None, ours: float | None) -> list[str]:
    if name not in row.figures:
        return ["–", "", ""]
    value = row.figures[name]
    cells = [number(value)]
    if floor is not None:
        cells.append(ratio(value, floor))
    cells.append(ratio(value, ours) if row.peer else "")
    return [*cells, ""]


def number(value: float) -> str:
    """Three digits where they say something."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def ratio(value: float, to: float | None) -> str:
    """`value` in units of `to`; nothing if there is no such unit."""
    return f"{value / to:.2g}" if to and value / to < 100 else f"{value / to:.0f}" if to else ""
