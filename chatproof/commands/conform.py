"""`chatproof conform`: the conformance suite."""

import sys
from pathlib import Path

import click


@click.command("conform")
@click.option(
    "--target",
    multiple=True,
    metavar="URL",
    help="chat+tcp://HOST:PORT of a server that runs; the reference server is started without one.",
)
@click.option(
    "--accounts",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Accounts for --target (see: chatproof accounts testbed --help).",
)
@click.option("--clause", multiple=True, metavar="PATTERN", help="Only these clauses, such as 'DLV.*'.")
@click.option("--without", multiple=True, metavar="CAPABILITY", help="What the target does not offer.")
@click.option(
    "--require",
    type=click.Choice(["MUST", "SHOULD", "MAY"]),
    default="MUST",
    show_default=True,
    help="Up to which level a failure counts.",
)
@click.option("--seed", type=int, help="Makes the choices of cases repeatable.")
@click.option(
    "--json", "json_", type=click.Path(path_type=Path), metavar="FILE", help="Write conformance.json."
)
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE", help="Write JUnit XML.")
def command(target: tuple[str, ...], accounts: Path | None, clause: tuple[str, ...], without: tuple[str, ...],
            require: str, seed: int | None, json_: Path | None, junit: Path | None) -> None:  # fmt: skip
    """Check a server against what an instant-messaging system owes its users, clause by clause."""
    from gevent import monkey

    monkey.patch_all()
    from conformance.catalogue import Level
    from conformance.run import ConformSettings, run_conformance

    sys.exit(
        run_conformance(
            ConformSettings(
                targets=target,
                accounts=accounts,
                clauses=clause,
                without=without,
                require=Level(require),
                seed=seed,
                json=json_,
                junit=junit,
            )
        )
    )
