"""`chatproof toxiproxy`: the fault proxy alone, a drop-in for Shopify's."""

from pathlib import Path

import click


@click.command("toxiproxy")
@click.option("--host", "-host", default="localhost", show_default=True, help="Where the API listens.")
@click.option("--port", "-port", type=int, default=8474, show_default=True, help="0 for any free port.")
@click.option(
    "--config",
    "-config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="JSON list of proxies to begin with, as for /populate.",
)
@click.option("--seed", "-seed", type=int, help="Makes toxicity and losses repeatable.")
@click.option("--proxy-metrics", "-proxy-metrics", is_flag=True, help="Bytes by proxy on /metrics.")
@click.option("--runtime-metrics", "-runtime-metrics", is_flag=True, help="The process itself on /metrics.")
@click.option("--version", "-version", is_flag=True, help="Print the version whose API this is, and end.")
@click.option("--parent", type=int, hidden=True, help="End when this process, which started it, does.")
def command(host: str, port: int, config: Path | None, seed: int | None, proxy_metrics: bool,
            runtime_metrics: bool, version: bool, parent: int | None) -> None:  # fmt: skip
    """Serve Toxiproxy's API and its toxics, and frame_loss, which knows the chat protocol's frames."""
    from gevent import monkey

    monkey.patch_all()
    from chaos.toxiproxy.api import VERSION
    from chaos.toxiproxy.server import serve
    from chatproof.errors import CannotRun
    from refserver.lifeline import end_with

    if parent is not None and not end_with(parent):
        return
    if version:
        click.echo(f"toxiproxy-server version {VERSION}")
        return
    try:
        serve(host, port, config, seed, proxy_metrics, runtime_metrics)
    except OSError as error:
        raise CannotRun(f"toxiproxy on {host}:{port}: {error.strerror or error}") from error
