"""`--dialect MODULE:NAME`, for commands that take the URL of a target."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def _name(context: click.Context, option: click.Parameter, places: tuple[str, ...]) -> None:
    from drivers.registered import name_dialect

    for place in places:
        name_dialect(place)


def dialect_option(command: F) -> F:
    """The option, for a command that need not know of it."""
    return click.option(
        "--dialect",
        multiple=True,
        metavar="MODULE:NAME",
        callback=_name,
        expose_value=False,
        help="A protocol of your own, such as my_package.irc:DIALECT (docs/your-own-dialect.md).",
    )(command)
