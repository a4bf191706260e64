"""`chatproof compare`: runs beside each other."""

import sys
from pathlib import Path

import click


class _Sides(click.Command):
    """An option of a side takes all folders that follow it: --base A1 A2 --new B1 B2."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        spelled, option = [], ""
        for word in (part for arg in args for part in _split(arg)):
            if word in ("--base", "--new"):
                option = word
                if word == "--new":
                    spelled += [word, _NEXT_SIDE]
            elif option and not word.startswith("-"):
                spelled += [option, word]
            else:
                option = ""
                spelled.append(word)
        return super().parse_args(ctx, spelled)


_NEXT_SIDE = "\0"


def _split(word: str) -> list[str]:
    option, equals, value = word.partition("=")
    return [option, value] if equals and option in ("--base", "--new") else [word]


@click.command("compare", cls=_Sides)
@click.argument("runs", nargs=-1, metavar="[RUN RUN …]")
@click.option("--base", multiple=True, metavar="RUN…", help="Repeated runs of the side to compare with.")
@click.option("--new", multiple=True, metavar="RUN…", help="Repeated runs of a further side; may come again.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="The page; compare.html in the last run."
)
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON instead of tables.")
def command(
    runs: tuple[str, ...], base: tuple[str, ...], new: tuple[str, ...], out: Path | None, as_json: bool
) -> None:
    """Say what changed between run folders, and whether it is more than noise.

    \b
    chatproof compare runs/before runs/after              two runs
    chatproof compare --base A1 A2 A3 --new B1 B2 B3      repeated runs: noise between runs is known
    chatproof compare runs/chat runs/mqtt runs/xmpp       several servers, the first is the measure

    A figure has changed if the 99 % interval of the difference leaves out zero. From one run a side that
    interval is as wide as runs usually differ, so repeat runs to see smaller changes.

    Exit code 1 if a check fails that passed or a figure is worse beyond noise; 99 if only a threshold of the
    plan is missed that was kept; 0 otherwise. Servers of different names or protocols are never judged.
    """
    import json as json_text

    from rich.console import Console

    from chatproof.errors import WrongUse
    from reports.compare.build import build_page
    from reports.compare.comparison import as_json as for_machines
    from reports.compare.comparison import compared
    from reports.compare.run import sides_of
    from reports.compare.table import show
    from reports.errors import ReportError

    groups = _groups(runs, base, new)
    console = Console(stderr=as_json)
    try:
        with console.status("reading the runs"), sides_of(groups) as sides:
            comparison = compared(sides)
            page = build_page(comparison, out or groups[-1][0] / "compare.html")
    except ReportError as error:
        raise WrongUse(str(error)) from error
    if as_json:
        click.echo(json_text.dumps(for_machines(comparison), indent=2, ensure_ascii=False))
    else:
        show(comparison, console)
    console.print(f"page {page}", highlight=False, soft_wrap=True)
    sys.exit(comparison.exit_code)


def _groups(runs: tuple[str, ...], base: tuple[str, ...], new: tuple[str, ...]) -> list[list[Path]]:
    """Run folders by side. Raises WrongUse."""
    from chatproof.errors import WrongUse

    further: list[list[Path]] = []
    for word in new:
        if word == _NEXT_SIDE:
            further.append([])
        else:
            further[-1].append(Path(word))
    groups = [[Path(word) for word in base], *further] if base or new else [[Path(run)] for run in runs]
    if (base or new) and runs:
        raise WrongUse(
            f"compare: {runs[0]} belongs to no side; name runs either one after the other or by side"
        )
    if len(groups) < 2 or not all(groups):
        raise WrongUse("compare: name two runs or more, or --base and --new with one run each or more")
    return groups
