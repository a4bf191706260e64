"""`python -m refserver`: the server alone, as fixtures and tests start it."""

import argparse
import logging
import sys
from pathlib import Path

from protocol.limits import DEFAULT_HEARTBEAT_S
from refserver.business.limiting import DEFAULT_BURST
from refserver.lifeline import end_with
from refserver.serve import ServeError, ServeSettings, serve
from refserver.settings import SCHEMES


def main() -> int:
    """0 after a drained end, 2 for a wrong request, 3 if the machine cannot."""
    parser = argparse.ArgumentParser(prog="refserver", description="The chat reference server.")
    parser.add_argument(
        "--listen", action="append", metavar="URL", help=f"{'://, '.join(SCHEMES)}://HOST:PORT"
    )
    parser.add_argument(
        "--tls-cert", type=Path, metavar="FILE", help="PEM, with its chain: for tls, wss and https"
    )
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="PEM, without a password")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--access-processes", type=int, default=0, metavar="N")
    parser.add_argument(
        "--pace",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="between two looks at the sockets; 0: at once",
    )
    parser.add_argument("--heartbeat", type=int, default=DEFAULT_HEARTBEAT_S, metavar="SECONDS")
    parser.add_argument(
        "--rate-limit", type=float, default=0.0, metavar="N", help="messages a second and user"
    )
    parser.add_argument("--rate-burst", type=int, default=DEFAULT_BURST, metavar="N", help="of them at once")
    parser.add_argument("--strangers", action="store_true", help="users who are not friends may write too")
    parser.add_argument(
        "--resolve", action="append", default=[], metavar="NAME=ADDRESS,…", help="what HTTPDNS says of a name"
    )
    parser.add_argument(
        "--disturbances", type=Path, metavar="FILE", help="what it is to suffer while it runs, as tests wish"
    )
    parser.add_argument(
        "--parent", type=int, metavar="PID", help="end when this process, which started it, does"
    )
    arguments = parser.parse_args()
    if arguments.parent is not None and not end_with(arguments.parent):
        return 0
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    try:
        serve(
            ServeSettings(
                listen=arguments.listen or ["tcp://127.0.0.1:14000", "http://127.0.0.1:8080"],
                data_dir=arguments.data,
                access_processes=arguments.access_processes,
                pace_s=arguments.pace,
                friends_only=not arguments.strangers,
                default_heartbeat_s=arguments.heartbeat,
                tls_cert=arguments.tls_cert,
                tls_key=arguments.tls_key,
                rate_limit=arguments.rate_limit,
                rate_burst=arguments.rate_burst,
                resolve=arguments.resolve,
                disturbances=arguments.disturbances,
            )
        )
    except ServeError as error:
        print(f"refserver: {error}", file=sys.stderr)
        return 3 if error.environment else 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
