"""`chatproof`: one command a module under chatproof/commands, found by registration."""

import importlib
import pkgutil
import sys
from importlib.metadata import version

import click

from chatproof import commands
from chatproof.errors import CommandError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(version("chatproof"), prog_name="chatproof")
def chatproof() -> None:
    """Load tests and conformance for instant-messaging servers, with every message accounted for.

    \b
    Start here:  chatproof run demo
    Exit codes:  0 all checks pass · 1 a check failed · 2 wrong use · 3 this machine cannot
                 99 a threshold was missed though all checks passed · 130 interrupted
    """


def register() -> None:
    """Every command module's `command` is a command of the group."""
    for module in pkgutil.iter_modules(commands.__path__):
        chatproof.add_command(importlib.import_module(f"{commands.__name__}.{module.name}").command)


def main() -> None:
    """The program: every mistake that a user can make ends with one line and exit code 2 or 3."""
    register()
    try:
        chatproof.main(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "")
    except click.ClickException as error:
        where = (
            f" (see {error.ctx.command_path} --help)"
            if isinstance(error, click.UsageError) and error.ctx
            else ""
        )
        _fail(error.format_message().replace("\n", " ") + where, 2)
    except CommandError as error:
        _fail(str(error), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted", 130)


def _fail(line: str, code: int) -> None:
    click.echo(f"chatproof: {line}", err=True)
    sys.exit(code)
