"""`chatproof run`: the main job."""

import shlex
import sys
from typing import Any

import click

from chatproof.dialect_option import dialect_option


@click.command("run")
@click.argument("plan", required=False)
@click.option(
    "--target",
    metavar="URL",
    help="Of a server that runs: chat+tcp://HOST:PORT, mqtt://HOST:PORT?version=5&qos=2, "
    "xmpp://DOMAIN@HOST:PORT, …; or embedded.",
)
@click.option("--start", metavar="NAME", help="Start this server instead: mosquitto, prosody or ngircd.")
@click.option("--query", metavar="TEXT", help="With --start: what its URL gets, such as 'version=5&qos=2'.")
@click.option("--accounts", metavar="FILE", help="Accounts for --target: user,token or user,password a line.")
@click.option(
    "--carrier",
    metavar="NAME",
    help="To the embedded server: tcp, tls, ws, wss, longpoll, shortpoll or ladder; to one of --start: "
    "tcp, tls or ws.",
)
@click.option("--scenario", help="chat or heartbeat.")
@click.option("--connections", type=int, help="Connections in all.")
@click.option("--processes", type=int, help="Swarm processes; as many as the connections need.")
@click.option(
    "--access-processes",
    type=int,
    metavar="N",
    help="Of the embedded server; as many as the connections need.",
)
@click.option("--rate", type=float, help="Messages a second in all (open model).")
@click.option("--duration", metavar="TIME", help="Of the load, such as 30s or 5m.")
@click.option("--ramp", metavar="TIME", help="In which everybody comes online.")
@click.option("--shape", help="Load shape: ramp, steps, spike or soak.")
@click.option("--heartbeat", type=int, metavar="SECONDS", help="Between two heartbeats of a connection.")
@click.option("--seed", type=int, help="Makes choices and faults repeatable.")
@click.option(
    "--fault",
    multiple=True,
    metavar="FAULT",
    help="Such as 'frame_loss=5% at 10s for 20s on access-1', 'cut=20% at 30s' or 'kill at 40s on server'; "
    "may be given several times.",
)
@click.option(
    "--fault-plan",
    metavar="NAME",
    help="A plan of the library, such as subway or handover, or a TOML file (docs/faults.md; list: help).",
)
@click.option(
    "--nemesis",
    type=int,
    metavar="SEED",
    help="Random faults that overlap and heal, in whatever network the machine allows; the same for a seed.",
)
@click.option(
    "--threshold",
    multiple=True,
    metavar="LIMIT",
    help="Such as 'latency_ms.deliver.p99 < 500'; missing one ends with exit code 99.",
)
@click.option(
    "--network",
    metavar="KIND",
    help="A network of the run's own: veth, wire or nat between swarm and server, a loopback with room for "
    "millions, or none (docs/packets.md).",
)
@click.option("--toxiproxy", metavar="URL", help="Use this Toxiproxy instead of starting one.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Any option of the scenario, such as group_share=0.2 (list: --set help).",
)
@click.option(
    "--machines",
    type=int,
    metavar="N",
    help="The swarm is on N other machines: chatproof worker --master HOST:PORT on each.",
)
@click.option("--bind", metavar="HOST:PORT", help="With --machines: where this one listens for them.")
@click.option("--out", metavar="DIR", help="Run folder; a new one below runs/ by default.")
@click.option("--report/--no-report", "reports", default=True, help="Make report.html; on by default.")
@click.option(
    "--metrics-port",
    metavar="[HOST:]PORT",
    help="Serve the swarm's metrics for Prometheus on /metrics there; 0 for any free port.",
)
@click.option(
    "--web-port",
    type=click.IntRange(1, 65535),
    metavar="PORT",
    help="Serve a live page of the run on 127.0.0.1, where faults can be switched on and off.",
)
@click.option(
    "--otlp",
    default="",
    metavar="URL",
    help="Send the swarm's metrics to this OpenTelemetry collector (OTLP over HTTP).",
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print summary.json at the end; a line of JSON each second to stderr, unless that is a terminal.",
)
@dialect_option
def command(
    plan: str | None,
    settings: tuple[str, ...],
    machines: int | None,
    bind: str | None,
    out: str | None,
    reports: bool,
    metrics_port: str | None,
    web_port: int | None,
    otlp: str,
    as_json: bool,
    **given: Any,
) -> None:
    """Drive a swarm through faults, account for every message, leave a report.

    PLAN is a shipped plan or a TOML file; options go over it. Shipped: demo, smoke,
    soak, heartbeat-20k, heartbeat-200k, million, million-chat, two-million.
    Without a plan, 2,000 connections of the embedded reference server chat for 30 seconds.
    """
    if given["fault_plan"] == "help":
        _list_fault_plans()
        return
    import locust  # noqa: F401  patches the standard library before anything else uses it
    from rich.console import Console

    from chatproof.breaking import broken_down
    from chatproof.elsewhere import Elsewhere
    from chatproof.folders import new_folder
    from chatproof.plan import Plan, load_plan
    from chatproof.run import Run
    from chatproof.watching import Watchers

    if "help" in settings:
        _list_settings()
        return
    wanted = load_plan(plan) if plan else Plan()
    _apply(wanted, given, settings)
    planned = broken_down(wanted)
    wanted.check()
    elsewhere = Elsewhere.parse(machines, bind)
    if elsewhere is not None:
        elsewhere.fit(wanted)
    watchers = Watchers.parse(metrics_port, otlp)
    folder = new_folder(out, wanted.name)
    console = Console(stderr=as_json)
    for spec in planned:
        console.print(f"{spec.phase}: {spec.as_text()}", highlight=False, soft_wrap=True)
    run = Run(wanted, folder, shlex.join(["chatproof", *sys.argv[1:]]), console, elsewhere)
    run.reports = reports
    run.watchers = watchers
    run.web_port = web_port
    run.for_machines = as_json
    code = run.execute()
    if as_json:
        click.echo(folder.summary.read_text(), nl=False)
    sys.exit(code)


def _apply(plan: Any, given: dict[str, Any], settings: tuple[str, ...]) -> None:
    """Options of the command line over those of the plan."""
    from dataclasses import fields

    import msgspec

    from chaos.errors import FaultSyntaxError
    from chaos.plan import parse_fault
    from chatproof.errors import WrongUse
    from scenarios.options import SwarmOptions

    for key in (
        "scenario",
        "connections",
        "processes",
        "rate",
        "duration",
        "ramp",
        "shape",
        "seed",
        "toxiproxy",
        "fault_plan",
    ):
        if given[key] is not None:
            setattr(plan, key, given[key])
    if given["target"] is not None:
        plan.target.url = given["target"]
    if given["carrier"] is not None:
        plan.target.carrier = given["carrier"]
    if given["start"] is not None:
        plan.target.start = given["start"]
    if given["query"] is not None:
        plan.target.query = given["query"]
    if given["access_processes"] is not None:
        plan.target.access_processes = given["access_processes"]
    if given["accounts"] is not None:
        plan.target.accounts = given["accounts"]
    if given["network"] is not None:
        plan.network.kind = given["network"]
    if given["heartbeat"] is not None:
        plan.swarm["heartbeat"] = given["heartbeat"]
    if given["connections"] is not None or given["processes"] is not None:
        plan.swarm.pop("cohort", None)
    plan.thresholds += given["threshold"]
    try:
        specs = [parse_fault(text) for text in given["fault"]]
    except FaultSyntaxError as error:
        raise WrongUse(f"--fault: {error}") from error
    plan.fault += [spec.as_mapping() for spec in specs]
    if given["nemesis"] is not None:
        plan.nemesis = _nemesis_of(plan, given["nemesis"])
    kinds = {option.name: type(option.default) for option in fields(SwarmOptions)}
    for setting in settings:
        key, equals, value = setting.partition("=")
        key = key.replace("-", "_")
        if not equals or key not in kinds:
            raise WrongUse(f"--set {setting!r}: write KEY=VALUE with one of {', '.join(kinds)}")
        try:
            plan.swarm[key] = msgspec.convert(value, kinds[key], strict=False)
        except msgspec.ValidationError as error:
            raise WrongUse(f"--set {setting!r}: {error}") from error


def _nemesis_of(plan: Any, seed: int) -> Any:
    """That of the plan, or the usual one, with another seed."""
    from msgspec.structs import replace

    from chatproof.plan import NemesisPlan

    return NemesisPlan(seed=seed) if plan.nemesis is None else replace(plan.nemesis, seed=seed)


def _list_fault_plans() -> None:
    from chaos.fault_plan import library, load_fault_plan

    for name in library():
        fault_plan = load_fault_plan(name)
        click.echo(f"{name:<20} {fault_plan.about}\n{'':<20} needs {fault_plan.needs}")


def _list_settings() -> None:
    from dataclasses import fields

    from scenarios.options import SwarmOptions

    for option in fields(SwarmOptions):
        click.echo(f"{option.name:<16} {option.metadata['help']} [{option.default}]")
