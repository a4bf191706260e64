"""`chatproof nemesis`: random schedules in a row."""

import random
import sys
from pathlib import Path

import click

_MOST_SEEDS = 1_000_000


@click.command("nemesis")
@click.option("--count", type=click.IntRange(1), default=30, show_default=True, help="How many schedules.")
@click.option("--seed", type=int, help="Of the first; the next ones count on from it. Any if not given.")
@click.option("--carrier", default="tcp", show_default=True, help="By which the swarm comes, as for run.")
@click.option("--network", default="none", metavar="KIND", help="In this one only: veth, wire or nat.")
@click.option(
    "--fault", "faults", multiple=True, metavar="NAME", help="Only faults of this name; repeatable."
)
@click.option("--density", type=float, default=2.5, show_default=True, help="Faults at a time, on average.")
@click.option("--longest", default="5s", show_default=True, help="No fault lasts longer.")
@click.option("--connections", type=click.IntRange(10), default=500, show_default=True, help="In each run.")
@click.option("--rate", type=float, default=200.0, show_default=True, help="Messages a second in each run.")
@click.option("--duration", default="20s", show_default=True, help="Of the load of each run.")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="How many runs at once.")
@click.option("--out", metavar="DIR", help="Results and run folders; a new one below runs/ by default.")
def command(
    count: int,
    seed: int | None,
    carrier: str,
    network: str,
    faults: tuple[str, ...],
    density: float,
    longest: str,
    connections: int,
    rate: float,
    duration: str,
    jobs: int,
    out: str | None,
) -> None:
    """Run random schedules of faults, one after the other or several at once: faults overlap, and each heals.

    What is possible on this machine is drawn, each seed in another kind of network. The schedule of each is
    printed with what became of it; `chatproof run --nemesis SEED` repeats one, exactly so the plan in its run
    folder. Results: nemesis.json. Exit code 1 if a run fails, 3 if this machine cannot do one of them.
    """
    import locust  # noqa: F401  patches the standard library before anything else uses it
    from rich.console import Console

    from chatproof.breaking import broken_down
    from chatproof.folders import new_folder
    from chatproof.matrix import table
    from chatproof.matrix.cells import BEGINS_S, LASTS_S, Cell
    from chatproof.matrix.running import CANNOT, FAIL, Outcome, Size, as_json, outcomes_of
    from chatproof.plan import NemesisPlan, NetworkPlan, Plan, Target

    first = random.randrange(_MOST_SEEDS) if seed is None else seed
    console = Console()
    folder: Path = new_folder(out, "nemesis").path
    outcomes: list[Outcome] = []
    trials: list[tuple[Cell, Size]] = []
    for number in range(first, first + count):
        plan = Plan(
            connections=connections,
            rate=rate,
            duration=duration,
            # Every other one has nodes of its own that can die.
            target=Target(carrier=carrier, access_processes=2 * (number % 2)),
            network=NetworkPlan(kind=network),
            nemesis=NemesisPlan(seed=number, density=density, longest=longest, faults=list(faults)),
        )
        specs = broken_down(plan)
        plan.check()
        cell = Cell(f"nemesis {number}", tuple(specs), carrier, plan.network.kind)
        trials.append((cell, Size(connections, rate, number, plan.duration_s - BEGINS_S - LASTS_S)))
    code = 0
    console.print(f"{count} schedules, seeds {first} to {first + count - 1}", highlight=False)
    try:
        for outcome in outcomes_of(trials, folder, jobs):
            outcomes.append(outcome)
            cell = outcome.cell
            console.print(f"{cell.row}: network {cell.network}, {len(cell.faults)} faults", highlight=False)
            for spec in cell.faults:
                console.print(f"    {spec.as_text()}", highlight=False, markup=False)
            console.print(table.line(outcome), highlight=False, soft_wrap=True, markup=False)
    except KeyboardInterrupt:
        code = 130
    words = {outcome.word for outcome in outcomes}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nemesis.json").write_bytes(as_json(outcomes, Size(connections, rate, first)))
    console.print(table.closing(outcomes), highlight=False, soft_wrap=True)
    console.print(f"results {folder / 'nemesis.json'}", highlight=False, soft_wrap=True)
    sys.exit(code or (1 if FAIL in words else 3 if CANNOT in words else 0))
