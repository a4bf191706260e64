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
    "--http",
    multiple=True,
    metavar="URL",
    help="Where the --target takes short requests: http(s)://HOST:PORT.",
)
@click.option(
    "--carrier",
    multiple=True,
    metavar="NAME",
    help="tcp, tls, ws, wss, longpoll, shortpoll or all; if not given: those of --target, else tcp.",
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
    "--jobs", type=click.IntRange(1), default=2, show_default=True, help="How many carriers at once."
)
@click.option("--mutant", metavar="NAME", help="Check a server broken on purpose; 'list' names them.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Write conformance.json, junit.xml, matrix.html and what clients sent and received.",
)
@click.option(
    "--json", "json_", type=click.Path(path_type=Path), metavar="FILE", help="Write conformance.json."
)
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE", help="Write JUnit XML.")
@click.option(
    "--merge",
    is_flag=True,
    help="Test nothing: matrix.html in --out of the conformance.json of several targets, named as arguments.",
)
@click.argument("results", nargs=-1, type=click.Path(path_type=Path))
def command(
    target: tuple[str, ...],
    http: tuple[str, ...],
    carrier: tuple[str, ...],
    accounts: Path | None,
    clause: tuple[str, ...],
    without: tuple[str, ...],
    require: str,
    seed: int | None,
    jobs: int,
    mutant: str | None,
    out: Path | None,
    json_: Path | None,
    junit: Path | None,
    merge: bool,
    results: tuple[Path, ...],
) -> None:
    """Check a server against what an instant-messaging system owes its users, clause by clause."""
    from gevent import monkey

    monkey.patch_all()
    from chatproof.errors import WrongUse
    from conformance import run
    from conformance.catalogue import Level
    from conformance.run import ConformSettings, run_conformance

    if merge != bool(results) or (merge and out is None):
        raise WrongUse("--merge takes results: chatproof conform --merge A.json B.json --out FOLDER")
    if out is not None and merge:
        sys.exit(run.merge(results, out))
    if mutant is not None:
        if target:
            raise WrongUse("--mutant is a server of its own; leave out --target")
        if not _is_mutant(mutant):
            return
    sys.exit(
        run_conformance(
            ConformSettings(
                targets=target,
                http=http,
                carriers=carrier,
                jobs=jobs,
                mutant=mutant,
                out=out,
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


def _is_mutant(name: str) -> bool:
    """False when there is nothing to check, because the mutants were only to be listed."""
    from chatproof.errors import WrongUse
    from conformance.mutating import table
    from conformance.mutating.mutant import UnknownMutant, load, names

    if name == "list":
        click.echo("\n".join(table.listing(map(load, names()))))
        return False
    try:
        mutant = load(name)
    except UnknownMutant as error:
        raise WrongUse(str(error)) from error
    click.echo(f"mutant {name}: {mutant.story}; has to fail: {' '.join(mutant.breaks)}")
    return True
