"""`chatproof report`: the page of a run, made again from its folder."""

from pathlib import Path

import click


@click.command("report")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--judge", is_flag=True, help="Judge the run first: summary.json and junit.xml are made again.")
def command(run: Path, judge: bool) -> None:
    """Write RUN/report.html, one self-contained page, from what is in the run folder RUN.

    Of the folder of a sweep: its sweep.html.
    """
    from chatproof.errors import WrongUse
    from ledger import judging
    from ledger.errors import LedgerError
    from ledger.run_folder import RunFolder
    from reports.build import build_report
    from reports.capacity.page import build_sweep
    from reports.capacity.sweep import SWEEP
    from reports.errors import ReportError

    try:
        if judge:
            folder = RunFolder(run)
            before = folder.load_summary() if folder.summary.exists() else {"thresholds": []}
            judging.judge(folder, [threshold["expression"] for threshold in before["thresholds"]])
        click.echo(build_sweep(run) if (run / SWEEP).exists() else build_report(run))
    except (LedgerError, ReportError) as error:
        raise WrongUse(str(error)) from error
