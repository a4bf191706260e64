"""`chatproof accounts`: who exists on a reference server and who may talk to whom."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

_DAY_S = 86400.0


@contextmanager
def _one_line() -> Iterator[None]:
    from chatproof.errors import WrongUse
    from refserver.accounts import AccountsError

    try:
        yield
    except AccountsError as error:
        raise WrongUse(str(error)) from error


def _data(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--data", type=click.Path(path_type=Path), default=Path(".chatproof/server"), show_default=True,
        metavar="DIR", help="Data directory of the server, which may be running.",
    )(function)  # fmt: skip


@click.group("accounts")
def command() -> None:
    """Users, friends, groups and tokens of a reference server. A running server notices changes."""


@command.command()
@click.argument("users", nargs=-1, required=True)
@click.option("--password", help="The password of all of them; without one they log in by token only.")
@_data
def add(users: tuple[str, ...], password: str | None, data: Path) -> None:
    """Add USERS."""
    from refserver import accounts

    with _one_line():
        accounts.add(data, users, password)
    click.echo(f"{len(users)} added")


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@_data
def import_(file: Path, data: Path) -> None:
    """Add the users of a CSV FILE: user or user,password a line."""
    from refserver import accounts

    with _one_line():
        click.echo(f"{accounts.import_rows(data, file)} added")


@command.command()
@click.argument("count", type=click.IntRange(1))
@click.option("--prefix", default="u", show_default=True, help="User ids are PREFIX and a number.")
@click.option(
    "--circle", default=5, show_default=True, help="Users who are friends and share a group; 0: none."
)
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write their tokens there.")
@click.option("--days", default=30.0, show_default=True, help="How long tokens are valid.")
@_data
def generate(count: int, prefix: str, circle: int, out: Path | None, days: float, data: Path) -> None:
    """Make COUNT test accounts, as swarms need them: 100,000 take seconds."""
    from chatproof.errors import WrongUse
    from chatproof.target import make_accounts
    from refserver import accounts

    if circle and (circle < 2 or count % circle):
        raise WrongUse(f"{count} accounts are no whole circles of {circle}: change COUNT or --circle")
    with _one_line():
        users = make_accounts(data, count, circle, prefix=prefix)
        if out is not None:
            accounts.tokens(data, users, days * _DAY_S, out)
    click.echo(f"{count} made" + (f", tokens in {out}" if out else ""))


@command.command()
@click.argument("users", nargs=-1)
@click.option("--out", type=click.Path(path_type=Path), default=Path("accounts.csv"), show_default=True)
@click.option("--days", default=30.0, show_default=True, help="How long tokens are valid.")
@_data
def token(users: tuple[str, ...], out: Path, days: float, data: Path) -> None:
    """Write tokens of USERS, or of all accounts, as lines user,token: the accounts file of a run."""
    from refserver import accounts

    with _one_line():
        click.echo(f"{accounts.tokens(data, users or None, days * _DAY_S, out)} tokens in {out}")


@command.command()
@click.argument("users", nargs=-1, required=True)
@_data
def befriend(users: tuple[str, ...], data: Path) -> None:
    """All of USERS are friends of each other and may write to each other."""
    from refserver import accounts

    with _one_line():
        accounts.befriend(data, users)
    click.echo(f"{len(users)} are friends of each other")


@command.command()
@click.argument("name")
@click.argument("members", nargs=-1, required=True)
@click.option("--remove", is_flag=True, help="MEMBERS leave the group.")
@_data
def group(name: str, members: tuple[str, ...], remove: bool, data: Path) -> None:
    """MEMBERS belong to group NAME, which is made when there is none."""
    from refserver import accounts

    with _one_line():
        click.echo(accounts.group(data, name, members, remove))


@command.command()
@click.option("--blocks", default=440, show_default=True, help="Ten users each; every case uses one block.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("testbed.json"), show_default=True)
@click.option("--days", default=30.0, show_default=True, help="How long tokens are valid.")
@_data
def testbed(blocks: int, out: Path, days: float, data: Path) -> None:
    """Make the accounts that the conformance suite needs, for: chatproof conform --accounts FILE."""
    from refserver import accounts

    with _one_line():
        accounts.testbed(data, blocks, out, days * _DAY_S)
    click.echo(f"{blocks} blocks of ten users in {out}")
