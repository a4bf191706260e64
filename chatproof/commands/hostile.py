"""`chatproof hostile`: attacks, and what they cost."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from conformance.hostile.attack import Attack


@click.command("hostile")
@click.option("--only", default="*", metavar="PATTERN", help="Only attacks whose name is like this.")
@click.option("--list", "list_", is_flag=True, help="Say which there are, and attack nothing.")
@click.option("--json", "json_", type=click.Path(path_type=Path), metavar="FILE", help="Write the figures.")
@click.option("--mutant", metavar="NAME", help="Attack a server broken on purpose (see: chatproof mutants).")
def command(only: str, list_: bool, json_: Path | None, mutant: str | None) -> None:
    """See what hostile clients cost the reference server, and what other users feel of them (SEC.6).

    Each attack has a server of its own, with two other users who go on talking. Prints what was sent, what
    memory, CPU and connections it cost, and how long the others' messages took before and meanwhile. Exit
    code 1 if the server dies, grows beyond what the attack may cost, or the others' p99 is more than twice
    its usual and above 250 ms; 3 if nothing can be said.
    """
    from chatproof.errors import WrongUse
    from conformance.hostile.attack import UnknownAttack, matching
    from conformance.mutating.mutant import UnknownMutant
    from conformance.mutating.server import start_instead

    try:
        attacks = matching(only)
        if mutant is not None:
            start_instead(mutant)
    except (UnknownAttack, UnknownMutant) as error:
        raise WrongUse(str(error)) from error
    if list_:
        click.echo("\n".join(f"{attack.name:<21} {attack.limit_bytes / 1e6:>4.0f} MB" for attack in attacks))
        return
    sys.exit(_attack(attacks, json_))


def _attack(attacks: list["Attack"], json_: Path | None) -> int:
    import msgspec

    from chatproof.errors import CannotRun
    from conformance.hostile import table
    from conformance.hostile.neighbours import NeighboursFailed
    from conformance.hostile.siege import besiege
    from conformance.verdicts import Verdict
    from refserver.accounts import AccountsError
    from refserver.process import ServerFailed
    from refserver.settings import raise_descriptor_limit

    raise_descriptor_limit()
    sieges = []
    click.echo(table.header())
    try:
        for attack in attacks:
            sieges.append(besiege(attack))
            click.echo(table.row(sieges[-1]))
        click.echo(table.total(sieges))
        if json_ is not None:
            json_.write_bytes(msgspec.json.format(msgspec.json.encode(table.figures(sieges)), indent=2))
    except (ServerFailed, AccountsError, NeighboursFailed, OSError) as error:
        raise CannotRun(str(error)) from error
    verdicts = {siege.verdict for siege in sieges}
    return 1 if Verdict.FAIL in verdicts else 3 if Verdict.UNKNOWN in verdicts else 0
