"""A comparison on the terminal."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from reports.compare.comparison import Comparison, Row, signed
from reports.compare.noise import Change, Kind

_COLOURS = {Kind.WORSE: "bold red", Kind.BETTER: "green", Kind.NOISE: "dim"}
_VERDICTS = {"fail": "bold red", "unknown": "yellow", "pass": "green"}


def show(comparison: Comparison, console: Console) -> None:
    """Checks, figures with their changes, what else differs, and the result."""
    console.print(_checks(comparison))
    console.print(_figures(comparison))
    if comparison.overloaded:
        names = escape(", ".join(comparison.overloaded))
        console.print(
            f"[yellow]latencies left out, the generator was overloaded:[/] {names}", highlight=False
        )
    if comparison.setup:
        console.print("what else differs:", style="yellow")
        for name, values in comparison.setup:
            console.print(f"  {escape(name)}: {escape(' → '.join(values))}", highlight=False, soft_wrap=True)
    word, line = comparison.headline
    console.print(
        f"[{'bold red' if comparison.exit_code else 'bold'}]{word.lower()}[/]: {escape(line)}",
        highlight=False, soft_wrap=True,
    )  # fmt: skip


def _checks(comparison: Comparison) -> Table:
    table = _table(comparison, "check")
    for one in comparison.verdicts:
        if set(one.verdicts) != {"–"}:
            cells = [f"[{_VERDICTS.get(verdict, 'dim')}]{verdict}[/]" for verdict in one.verdicts]
            table.add_row(one.name, *cells)
    return table


def _figures(comparison: Comparison) -> Table:
    table = _table(comparison, "figure")
    for number in range(len(comparison.sides) - 1):
        table.add_column("change" if number == 0 else "", justify="right")
    group = ""
    for row in comparison.rows:
        if group and row.figure.group != group:
            table.add_section()
        group = row.figure.group
        table.add_row(row.figure.title, *_values(row), *map(told, row.changes))
    return table


def _table(comparison: Comparison, what: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(what, overflow="fold")
    for side in comparison.sides:
        table.add_column(escape(side.label), justify="right", overflow="fold")
    return table


def _values(row: Row) -> list[str]:
    return ["–" if value is None else row.figure.say(value) for value in row.values]


def told(one: Change) -> str:
    """`+12 % worse`, `+3 % (±9 %)`."""
    if one.kind is Kind.ABSENT:
        return ""
    relative, around = one.relative, one.relative_interval()
    text = "" if relative is None else signed(relative)
    if one.kind is Kind.NOISE and around is not None and relative is not None:
        text += f" (±{abs(around[1] - around[0]) / 2:.0%})"
    if one.kind in (Kind.WORSE, Kind.BETTER):
        text += f" {one.kind}"
    colour = _COLOURS.get(one.kind)
    return f"[{colour}]{text.strip()}[/]" if colour and text.strip() else text.strip()
