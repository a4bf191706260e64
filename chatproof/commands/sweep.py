"""`chatproof sweep`: a ladder of runs, and where it ends."""

import shlex
import sys

import click


@click.command("sweep", context_settings={"ignore_unknown_options": True})
@click.argument("plan")
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[RUN-OPTIONS]...")
@click.option("--connections", metavar="LIST", help="Steps, such as 1k,5k,20k.")
@click.option(
    "--rate", metavar="LIST", help="Messages a second at each step; by default in step with the connections."
)
@click.option("--out", metavar="DIR", help="Folder of the sweep; a new one below runs/ by default.")
@click.option("--json", "as_json", is_flag=True, help="Print sweep.json at the end, progress to stderr.")
def command(
    plan: str,
    options: tuple[str, ...],
    connections: str | None,
    rate: str | None,
    out: str | None,
    as_json: bool,
) -> None:
    """Run PLAN with more and more load until a check or a threshold breaks or the swarm is the limit.

    Every other option goes to `chatproof run` at each step, above all --threshold: what must hold.
    Leaves a run folder for each step, sweep.json, and sweep.html with the law of scaling fitted to
    them and a form for what N users would take.

    \b
    chatproof sweep heartbeat-20k --connections 1k,2k,5k,10k,20k
    chatproof sweep smoke --connections 200,500,1k,2k,4k --threshold 'latency_ms.deliver.p99 < 500'

    Exit code 0 if at least one step held; that of the first step if none did; 130 if interrupted.
    """
    from chatproof.errors import WrongUse
    from chatproof.folders import new_folder
    from chatproof.plan import load_plan
    from chatproof.sweeping.climb import Climb, exit_code
    from chatproof.sweeping.steps import ladder
    from ledger.errors import LedgerError
    from reports.capacity.page import build_sweep
    from reports.capacity.sweep import SWEEP
    from reports.errors import ReportError

    wanted = load_plan(plan)
    steps = ladder(connections, rate, wanted.connections, wanted.rate)
    folder = new_folder(out, f"sweep-{wanted.name}").path
    if (folder / SWEEP).exists():
        raise WrongUse(f"{folder} holds a sweep already; choose another folder with --out")
    folder.mkdir(parents=True, exist_ok=True)
    output = sys.stderr if as_json else sys.stdout
    command_line = shlex.join(["chatproof", *sys.argv[1:]])
    sweep = Climb(plan, options, folder, command_line, output).all(steps)
    try:
        page = build_sweep(folder)
    except (LedgerError, ReportError) as error:
        raise WrongUse(str(error)) from error
    print(f"report {page}", file=output)
    if as_json:
        click.echo((folder / SWEEP).read_text(), nl=False)
    sys.exit(exit_code(sweep))
