"""`chatproof report`: the page of a run, made again from its folder."""

from pathlib import Path

import click


@click.command("report")
@click.argument("run", type=click.Path(path_type=Path))
def command(run: Path) -> None:
    """Write RUN/report.html, one self-contained page, from what is in the run folder RUN."""
    from chatproof.errors import WrongUse
    from reports.build import build_report
    from reports.errors import ReportError

    try:
        click.echo(build_report(run))
    except ReportError as error:
        raise WrongUse(str(error)) from error
