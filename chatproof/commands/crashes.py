"""`chatproof crashes`: kill -9, again and again, under traffic."""

import sys
from pathlib import Path

import click


@click.command("crashes")
@click.option("--rounds", type=click.IntRange(1), default=50, show_default=True, help="How many kills.")
@click.option("--seed", type=int, help="Makes the choices of traffic and kills repeatable.")
@click.option(
    "--access-processes",
    type=click.IntRange(0, 16),
    default=0,
    show_default=True,
    help="Processes that hold connections; with some, every other kill is of one of them only.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Keep the server's data and the ledger there; it has to be new or empty.",
)
@click.option("--restart-limit", type=float, default=2.0, show_default=True, metavar="SECONDS")
@click.option("--json", "json_", type=click.Path(path_type=Path), metavar="FILE", help="Write the figures.")
@click.option("--mutant", metavar="NAME", help="Kill a server broken on purpose (see: chatproof mutants).")
def command(
    rounds: int,
    seed: int | None,
    access_processes: int,
    data: Path | None,
    restart_limit: float,
    json_: Path | None,
    mutant: str | None,
) -> None:
    """See that a server killed in the middle of traffic loses and repeats nothing.

    Each round kills the reference server, or one of its access processes, at any moment, in a commit, or
    right after it has acknowledged something; then it has to listen again in time, and everything said so
    far is accounted for. Exit code 1 if anything is wrong, 3 if nothing can be said.
    """
    import locust  # noqa: F401  patches the standard library before anything else uses it

    from chatproof.crashing.running import Wish, crash

    sys.exit(crash(Wish(rounds, seed, access_processes, data, restart_limit, json_, mutant)))
