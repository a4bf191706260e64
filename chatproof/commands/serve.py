"""`chatproof serve`: the reference server."""

from pathlib import Path

import click
from click.core import ParameterSource

_DEFAULT_DATA = Path(".chatproof/server")
_TEST_ACCOUNTS = 5000
_DEFAULT_LISTEN = ("tcp://127.0.0.1:14000", "http://127.0.0.1:8080")


@click.command("serve")
@click.option(
    "--listen",
    multiple=True,
    metavar="URL",
    default=_DEFAULT_LISTEN,
    show_default=True,
    help="tcp, tls, ws, wss, http, https or any://HOST:PORT; repeatable. Nothing else is open. any:// "
    "tells by a connection's first bytes which of the others it is.",
)
@click.option(
    "--four-ports",
    metavar="HOST",
    help="The same as --listen any://HOST:PORT for 14000, 443, 8080 and 80, and nothing else unless --listen "
    "says so.",
)
@click.option(
    "--resolve",
    multiple=True,
    metavar="NAME=ADDRESS,…",
    help="What GET /v1/resolve?name=NAME (HTTPDNS) answers; repeatable.",
)
@click.option(
    "--tls-cert",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Certificate with its chain (PEM), for tls://, wss:// and https://.",
)
@click.option(
    "--tls-key",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Its key (PEM, without a password).",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=_DEFAULT_DATA,
    show_default=True,
    metavar="DIR",
    help="Where accounts and messages are kept.",
)
@click.option(
    "--access-processes",
    type=int,
    default=0,
    show_default=True,
    help="Processes that hold connections, beside the one that stores; 0 keeps both in one.",
)
@click.option(
    "--pace",
    type=float,
    default=0.0,
    metavar="SECONDS",
    help="How often an access process looks at its sockets, so that a look serves many of tens of thousands "
    "of idle connections; 0 looks at once.",
)
@click.option(
    "--heartbeat",
    type=int,
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="Interval for clients that ask for none.",
)
@click.option(
    "--rate-limit",
    type=float,
    default=0.0,
    metavar="N",
    help="Messages a second that each user may send, packages counted item by item; 0 for any number.",
)
@click.option(
    "--rate-burst",
    type=int,
    default=10,
    show_default=True,
    metavar="N",
    help="How many of them may come at once.",
)
@click.option(
    "--otlp",
    default="",
    metavar="URL",
    help="Send metrics to this OpenTelemetry collector (OTLP over HTTP) too.",
)
@click.option("--strangers", is_flag=True, help="Let users who are not friends write to each other.")
@click.option(
    "--test-accounts",
    type=int,
    metavar="N",
    help="Make N accounts in circles of five friends before serving, tokens in DIR/accounts.csv, unless that "
    "is there already; 5,000 in the default DIR, none elsewhere.",
)
def command(
    listen: tuple[str, ...],
    four_ports: str | None,
    resolve: tuple[str, ...],
    tls_cert: Path | None,
    tls_key: Path | None,
    data: Path,
    access_processes: int,
    pace: float,
    heartbeat: int,
    rate_limit: float,
    rate_burst: int,
    otlp: str,
    strangers: bool,
    test_accounts: int | None,
) -> None:
    """Run the reference server until SIGTERM or Ctrl-C, which let running work finish first."""
    from chatproof.errors import CannotRun, WrongUse
    from chatproof.target import make_accounts
    from refserver import accounts
    from refserver.serve import ServeError, ServeSettings, serve
    from refserver.settings import ANY, PORTS

    if test_accounts is None:
        test_accounts = _TEST_ACCOUNTS if data == _DEFAULT_DATA else 0
    if four_ports is not None:
        is_told = click.get_current_context().get_parameter_source("listen") is not ParameterSource.DEFAULT
        host = f"[{four_ports}]" if ":" in four_ports else four_ports
        listen = (*(listen if is_told else ()), *(f"{ANY}://{host}:{port}" for port in PORTS))
    settings = ServeSettings(
        listen=list(listen),
        data_dir=data,
        access_processes=access_processes,
        pace_s=pace,
        friends_only=not strangers,
        default_heartbeat_s=heartbeat,
        tls_cert=tls_cert,
        tls_key=tls_key,
        rate_limit=rate_limit,
        rate_burst=rate_burst,
        resolve=resolve,
        otlp=otlp,
    )
    try:
        settings.check()
        if test_accounts and not (data / "accounts.csv").exists():
            users = make_accounts(data, test_accounts - test_accounts % 5, 5)
            accounts.tokens(data, users, 365 * 86400.0, data / "accounts.csv")
        serve(settings)
    except ServeError as error:
        raise (CannotRun if error.environment else WrongUse)(str(error)) from error
    except accounts.AccountsError as error:
        raise WrongUse(str(error)) from error
