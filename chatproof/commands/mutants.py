"""`chatproof mutants`: the conformance suite against servers broken on purpose."""

import sys

import click


@click.command("mutants")
@click.option("--list", "list_", is_flag=True, help="Say which there are, and run nothing.")
@click.option(
    "--only",
    multiple=True,
    default=("*",),
    metavar="PATTERN",
    help="Only mutants whose name, or a clause that they break, is like this; repeatable.",
)
@click.option("--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="So many at a time.")
@click.option("--full", is_flag=True, help="All cases for each mutant, not only those of its own clauses.")
@click.option(
    "--fault-plan",
    "fault_plans",
    multiple=True,
    metavar="NAME",
    help="Those that show while the network breaks as a plan says, under that plan; all for each of the "
    "library; repeatable.",
)
def command(list_: bool, only: tuple[str, ...], jobs: int, full: bool, fault_plans: tuple[str, ...]) -> None:
    """See that the conformance suite catches broken servers, each by the clause that it breaks.

    Prints a line a mutant: the clauses that have to fail, those that did, and whether that kills it. The
    sound server is tried too, and has to pass. Exit code 1 if a mutant survives or the sound server fails.
    """
    from chatproof.commands.conform import planned
    from chatproof.errors import WrongUse
    from conformance.mutating import table
    from conformance.mutating.mutant import UnknownMutant, matching
    from conformance.mutating.trials import count_trials, try_all

    try:
        mutants = list({mutant.name: mutant for pattern in only for mutant in matching(pattern)}.values())
    except UnknownMutant as error:
        raise WrongUse(str(error)) from error
    plans = planned(fault_plans)
    if plans:
        mutants = [mutant for mutant in mutants if not mutant.under.keys().isdisjoint(plans)]
        if not mutants:
            raise WrongUse(f"no such mutant shows under {', '.join(plans)}; see: chatproof mutants --list")
    if list_:
        click.echo("\n".join(table.listing(mutants)))
        return
    trials = []
    count = count_trials(mutants, plans)
    click.echo(f"{'':9} {table.header()}")
    for trial in try_all(mutants, jobs=jobs, full=full, plans=plans, under="chatproof.weathered"):
        trials.append(trial)
        click.echo(f"{len(trials):>4}/{count:<4} {table.row(trial)}")
    click.echo(table.total(trials))
    sys.exit(not all(trial.is_as_expected for trial in trials))
