"""An access process: started by `refserver.workers` with descriptors, ends with its parent."""

import argparse
import gc
import logging
import signal
import socket
import ssl
import sys
from pathlib import Path

import gevent
from gevent.event import Event

from reactor.wheel import Ticker
from refserver.access.carriers.kinds import carrying
from refserver.access.carriers.tls import server_context
from refserver.access.leaving import leave
from refserver.access.node import AccessNode
from refserver.lifeline import end_with
from refserver.link import Load, Ready, RemoteService
from refserver.tokens import TokenSigner, load_or_create_secret

_LOAD_EVERY_S = 1.0


def main() -> None:
    """Serves until the parent says Drain or goes away."""
    arguments = _arguments()
    logging.basicConfig(format=f"%(asctime)s {arguments.name} %(levelname)s %(message)s")
    if not end_with(arguments.parent):
        return
    # Ctrl-C reaches the whole group; it is the parent who decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    leaving, orphaned = Event(), Event()

    def lose_parent() -> None:
        orphaned.set()
        leaving.set()

    service = RemoteService(socket.socket(fileno=arguments.link), leaving.set, lose_parent)
    node = AccessNode(
        arguments.name,
        service,
        TokenSigner(load_or_create_secret(arguments.data)),
        default_heartbeat_s=arguments.heartbeat,
    )
    service.node = node
    carry = carrying(_context(arguments))
    for listener in arguments.listener:
        scheme, _, descriptor = listener.partition(":")
        node.lines.listen(socket.socket(fileno=int(descriptor)), carry[scheme])
    gevent.signal_handler(signal.SIGTERM, leaving.set)
    ticker = Ticker(_LOAD_EVERY_S, lambda: service.channel.send(Load(node.lines.count)))
    service.channel.send(Ready())
    gc.collect()
    gc.freeze()
    leaving.wait()
    ticker.stop()
    if orphaned.is_set():
        node.close()
    else:
        leave(node)
        while not service.channel.is_empty:
            gevent.sleep(0.01)
    service.channel.close()


def _context(arguments: argparse.Namespace) -> ssl.SSLContext | None:
    if arguments.tls_cert is None:
        return None
    try:
        return server_context(arguments.tls_cert, arguments.tls_key)
    except OSError as error:
        # It could be read when the server was started: somebody is at it, and the next process finds it.
        sys.exit(f"{arguments.name}: certificate {arguments.tls_cert}: {error.strerror or error}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="refserver.access")
    parser.add_argument("--name", required=True)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--link", type=int, required=True)
    parser.add_argument("--listener", action="append", required=True, metavar="SCHEME:FD")
    parser.add_argument("--tls-cert", type=Path)
    parser.add_argument("--tls-key", type=Path)
    parser.add_argument("--data", required=True)
    parser.add_argument("--heartbeat", type=int, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
