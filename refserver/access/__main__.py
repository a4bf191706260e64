"""An access process: started by `refserver.workers` with descriptors, ends with its parent."""

import argparse
import gc
import logging
import signal
import socket

import gevent
from gevent.event import Event

from reactor.wheel import Ticker
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
    for descriptor in arguments.listener:
        node.lines.listen(socket.socket(fileno=descriptor))
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


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="refserver.access")
    parser.add_argument("--name", required=True)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--link", type=int, required=True)
    parser.add_argument("--listener", type=int, action="append", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--heartbeat", type=int, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
