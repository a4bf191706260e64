"""`chatproof history`: a series of runs."""

from pathlib import Path

import click


@click.command("history")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="The page; DIR/history.html.")
@click.option("--json", "as_json", is_flag=True, help="Print values and change points as JSON.")
def command(folder: Path, out: Path | None, as_json: bool) -> None:
    """Show how key figures moved over the run folders in DIR, and where they changed for good.

    Runs are sorted into series by plan, size and server. A change point needs three runs on either side, and
    is told when chance explains it in less than one of a hundred shuffles, or when far more lies between
    the two sides than within either. Always exit code 0: to stop a
    build on a regression, use chatproof compare.
    """
    import json as json_text

    from rich.console import Console

    from chatproof.errors import WrongUse
    from reports.errors import ReportError
    from reports.history.build import build_page, followed, told_step
    from reports.history.series import series_below

    console = Console(stderr=as_json)
    try:
        with console.status("reading the runs"):
            found, left_out = series_below(folder)
            history = followed(found)
            page = build_page(folder, history, left_out, out or folder / "history.html")
    except ReportError as error:
        raise WrongUse(str(error)) from error
    if as_json:
        told = [
            {
                "series": one.series.title,
                "runs": [str(run.path) for run in one.series.runs],
                "figures": {
                    trend.key.path: {
                        "values": trend.values,
                        "steps": [
                            {"at": step.at, "before": step.before, "after": step.after, "better": step.better}
                            for step in trend.steps
                        ],
                    }
                    for trend in one.trends
                },
            }
            for one in history
        ]
        click.echo(json_text.dumps(told, indent=2, ensure_ascii=False))
    else:
        for one in history:
            click.echo(f"{one.series.title}: {len(one.series.runs)} runs")
            for trend, step in one.steps:
                click.echo(f"  {'better' if step.better else 'WORSE '}  {told_step(trend, step, one.series)}")
            if not one.steps:
                click.echo("  no figure changed beyond noise")
    for line in left_out:
        console.print(f"left out: {line}", highlight=False, soft_wrap=True)
    console.print(f"page {page}", highlight=False, soft_wrap=True)
