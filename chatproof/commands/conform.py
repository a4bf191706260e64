"""`chatproof conform`: the conformance suite."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from chatproof.dialect_option import dialect_option

if TYPE_CHECKING:
    from conformance.run import ConformSettings

_ACCOUNTS = 900
"""Of a server that is started: sixty circles of five for each of three carriers."""


@click.command("conform")
@click.option(
    "--target",
    multiple=True,
    metavar="URL",
    help="Of a server that runs: chat+tcp://HOST:PORT, mqtt://HOST:PORT, xmpp://DOMAIN@HOST:PORT, …; the "
    "reference server is started without one.",
)
@click.option("--start", metavar="NAME", help="Start this server instead: mosquitto, prosody or ngircd.")
@click.option("--query", metavar="TEXT", help="With --start: what its URL gets, such as 'version=5&qos=2'.")
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
    help="Accounts for --target (see: chatproof accounts testbed --help); of a server of MQTT, XMPP or a "
    "protocol of yours also user,secret a line.",
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
@click.option(
    "--fault-plan",
    "fault_plans",
    multiple=True,
    metavar="NAME",
    help="The same cases while the network breaks as a plan says (docs/faults.md): subway, handover, … "
    "or all of the library; repeatable.",
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
@dialect_option
@click.argument("results", nargs=-1, type=click.Path(path_type=Path))
def command(
    target: tuple[str, ...],
    start: str | None,
    query: str | None,
    http: tuple[str, ...],
    carrier: tuple[str, ...],
    accounts: Path | None,
    clause: tuple[str, ...],
    without: tuple[str, ...],
    require: str,
    seed: int | None,
    jobs: int,
    fault_plans: tuple[str, ...],
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
    settings = ConformSettings(
        targets=target,
        http=http,
        carriers=carrier,
        jobs=jobs,
        fault_plans=planned(fault_plans, is_elsewhere=bool(target or start)),
        under="chatproof.weathered",
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
    if start is None and query is not None:
        raise WrongUse("--query is for --start; write it into the URL of --target")
    if start is None:
        sys.exit(run_conformance(settings))
    if target or accounts or mutant or http:
        raise WrongUse(
            "--start has its own addresses and accounts; leave out --target, --accounts and --mutant"
        )
    sys.exit(_run_started(settings, start, query))


def _run_started(settings: "ConformSettings", name: str, query: str | None) -> int:
    """The exit code of a run against a server that lives as long as it."""
    import tempfile
    from dataclasses import replace

    from chatproof import starting
    from conformance.run import run_conformance

    with tempfile.TemporaryDirectory(prefix="chatproof-conform-") as folder:
        started = starting.start(name, Path(folder) / name, _ACCOUNTS)
        try:
            urls = [_with_query(url, query) for url in started.urls]
            return run_conformance(
                replace(
                    settings,
                    targets=urls,
                    accounts=started.accounts,
                    carriers=settings.carriers or ("tcp",),
                    started=started,
                    name=f"{name} {query}" if query else name,
                )
            )
        finally:
            started.stop()


def _with_query(url: str, query: str | None) -> str:
    return url if query is None else f"{url}{'&' if '?' in url else '?'}{query}"


def planned(names: tuple[str, ...], *, is_elsewhere: bool = False) -> tuple[str, ...]:
    """The fault plans that were named, if they can be had. Raises WrongUse."""
    from chaos.errors import FaultSyntaxError
    from chaos.fault_plan import library, load_fault_plan
    from chatproof.errors import WrongUse

    wanted = tuple(library()) if "all" in names else names
    if wanted and is_elsewhere:
        raise WrongUse("--fault-plan breaks the network before the reference server only; leave out --target")
    try:
        for name in wanted:
            load_fault_plan(name)
    except FaultSyntaxError as error:
        raise WrongUse(f"--fault-plan: {error}") from error
    return wanted


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
