"""`chatproof toxiproxy`: the fault proxy alone, a drop-in for Shopify's."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


class GoBool(click.ParamType[bool]):
    """What Go's flags take for true and false."""

    name = "bool"
    _words: ClassVar = {
        **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
        **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
    }

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bool:
        if isinstance(value, bool):
            return value
        if value not in self._words:
            self.fail(f"{value!r} is neither true nor false", param, ctx)
        return bool(self._words[value])


def switch(name: str, help_text: str) -> Callable[[F], F]:
    """`-name` alone is true, as `-name=true` is."""
    return click.option(
        f"--{name}",
        f"-{name}",
        type=GoBool(),
        is_flag=False,
        flag_value="true",
        default=False,
        help=help_text,
    )


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
@switch("proxy-metrics", "Bytes by proxy on /metrics.")
@switch("runtime-metrics", "The process itself on /metrics.")
@switch("version", "Print the version whose API this is, and end.")
@click.option("--keep-sources", is_flag=True, hidden=True, help="Dial from the client's own address.")
@click.option("--parent", type=int, hidden=True, help="End when this process, which started it, does.")
def command(
    host: str,
    port: int,
    config: Path | None,
    seed: int | None,
    proxy_metrics: bool,
    runtime_metrics: bool,
    version: bool,
    keep_sources: bool,
    parent: int | None,
) -> None:
    """Serve Toxiproxy's API and its toxics, and more that know the messages of chat, MQTT and WebSocket."""
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
        serve(host, port, config, seed, proxy_metrics, runtime_metrics, keep_sources)
    except OSError as error:
        raise CannotRun(f"toxiproxy on {host}:{port}: {error.strerror or error}") from error
