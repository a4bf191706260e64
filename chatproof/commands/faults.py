"""`chatproof faults`: every fault over every carrier."""

import sys
from pathlib import Path

import click


@click.command("faults")
@click.option(
    "--only", multiple=True, metavar="PATTERN", help="Faults like this, such as 'frame_*'; repeatable."
)
@click.option(
    "--carrier",
    "carriers",
    multiple=True,
    metavar="NAME",
    help="tcp, tls, ws, wss, longpoll, shortpoll or ladder; repeatable. Without it all of them.",
)
@click.option("--connections", type=click.IntRange(10), default=500, show_default=True, help="In each cell.")
@click.option("--rate", type=float, default=200.0, show_default=True, help="Messages a second in each cell.")
@click.option(
    "--after",
    type=click.FloatRange(0.0),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="For so long the load goes on when the fault is over.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Makes choices and faults repeatable.")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="How many cells at once.")
@click.option("--list", "lists", is_flag=True, help="Say which cells there are, and why some are empty.")
@click.option("--out", metavar="DIR", help="Results and run folders; a new one below runs/ by default.")
def command(
    only: tuple[str, ...],
    carriers: tuple[str, ...],
    connections: int,
    rate: float,
    after: float,
    seed: int,
    jobs: int,
    lists: bool,
    out: str | None,
) -> None:
    """Run every fault over every carrier and see that nothing acknowledged is lost, doubled or out of order.

    Each cell is a run with the embedded server, half a minute long; the table says how long it took to
    recover. Results: faults.html and faults.json. Exit code 1 if a cell fails, 3 if this machine cannot do
    all of them, 2 for a pattern or carrier that does not exist.
    """
    from rich.console import Console

    from chatproof.folders import new_folder
    from chatproof.matrix import table
    from chatproof.matrix.cells import cells
    from chatproof.matrix.running import CANNOT, EMPTY, FAIL, Outcome, Size, as_json, outcomes_of

    wanted = list(cells(only, carriers))
    if lists:
        for cell in wanted:
            click.echo(f"{cell.row:<34} {cell.carrier:<9} {cell.why_not or cell.network}".rstrip())
        return
    console, size = Console(), Size(connections, rate, seed, after)
    folder: Path = new_folder(out, "faults").path
    outcomes: list[Outcome] = []
    code = 0
    try:
        for outcome in outcomes_of([(cell, size) for cell in wanted], folder, jobs):
            outcomes.append(outcome)
            if outcome.word != EMPTY:
                console.print(table.line(outcome), highlight=False, soft_wrap=True, markup=False)
    except KeyboardInterrupt:
        code = 130
    words = {outcome.word for outcome in outcomes}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "faults.json").write_bytes(as_json(outcomes, size))
    (folder / "faults.html").write_text(table.as_page(outcomes, size))
    console.print(table.table(outcomes))
    console.print(table.closing(outcomes), highlight=False, soft_wrap=True)
    console.print(f"results {folder / 'faults.html'}", highlight=False, soft_wrap=True)
    sys.exit(code or (1 if FAIL in words else 3 if CANNOT in words else 0))
