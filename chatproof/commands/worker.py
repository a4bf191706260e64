"""`chatproof worker`: this machine's part of a swarm that a run elsewhere leads."""

import click

from chatproof.dialect_option import dialect_option


@click.command("worker")
@click.option("--master", required=True, metavar="HOST:PORT", help="As given to chatproof run --bind.")
@click.option("--name", help="Of this machine in reports; the host name by default.")
@click.option(
    "--source",
    "sources",
    multiple=True,
    metavar="ADDRESS",
    help="Connect from this address of the machine; may be given several times. At most 14,000 connections "
    "from one to a port of the target, up to 5,000 go faster.",
)
@click.option(
    "--accounts", metavar="FILE", help="The run's accounts file, if it is here; else the master sends it."
)
@click.option("--wait", default="10m", show_default=True, metavar="TIME", help="For the master to answer.")
@click.option(
    "--dir",
    "folder",
    metavar="DIR",
    help="Where the ledgers lie until the master has fetched them; a temporary folder by default.",
)
@dialect_option
def command(
    master: str,
    name: str | None,
    sources: tuple[str, ...],
    accounts: str | None,
    wait: str,
    folder: str | None,
) -> None:
    """Hold a share of the swarm of `chatproof run --machines N --bind HOST:PORT` on another machine.

    It is told what to do by the master, gets the accounts from there, forks as many processes as its share
    needs, and ends with the run, when its ledgers have been fetched.
    """
    import locust  # noqa: F401  patches the standard library before anything else uses it

    from chaos.errors import FaultSyntaxError
    from chaos.quantities import seconds
    from chatproof.elsewhere import host_and_port
    from chatproof.errors import WrongUse
    from chatproof.station import Station

    try:
        patience_s = seconds(wait)
    except FaultSyntaxError as error:
        raise WrongUse(f"--wait: {error}") from error
    Station(host_and_port(master, "--master"), name, sources, accounts, folder, patience_s).run()
