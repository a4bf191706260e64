"""Where access processes come from: `refserver.workers` asks this one for each, and it forks.

What all of them import is shared that way, and the next one listens within milliseconds. This process itself
holds nothing and never runs an event loop.
"""

import argparse
import gc
import json
import logging
import os
import signal
import socket
import ssl
import sys
import time
from pathlib import Path
from types import FrameType

import gevent
from gevent.event import Event

from reactor.wheel import Ticker
from refserver.access.carriers.kinds import carrying
from refserver.access.carriers.tls import server_context
from refserver.access.leaving import leave
from refserver.access.node import AccessNode
from refserver.disturbances import Disturbances
from refserver.lifeline import end_with
from refserver.link import Links, Load, Ready, RemoteService
from refserver.tokens import TokenSigner, load_or_create_secret

log = logging.getLogger(__name__)

MAX_LISTENERS = 64
_REQUEST_BYTES = 65536
_LOAD_EVERY_S = 1.0
_NICENESS = 10
"""Everybody waits for the process that stores, which is one; where cores are short, it goes first."""


def main() -> None:
    """Forks until the parent goes away; its children go with it."""
    arguments = _arguments()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    if not end_with(arguments.parent):
        return
    # Ctrl-C reaches the whole group; it is the parent who decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, _bury)
    # A collection writes to whatever it looks at, and what is written to is no longer shared.
    gc.collect()
    gc.freeze()
    control = socket.socket(fileno=arguments.control)
    forker = os.getpid()
    while True:
        asked, descriptors, _, _ = socket.recv_fds(control, _REQUEST_BYTES, MAX_LISTENERS + 1)
        if not asked:
            return
        if os.fork() == 0:
            control.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _live(forker, json.loads(asked), descriptors, arguments)
        for descriptor in descriptors:
            os.close(descriptor)


def _bury(number: int, frame: FrameType | None) -> None:
    """Nothing is left of children that have ended."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        code = os.waitstatus_to_exitcode(status)
        if code:
            log.error("access process %d ended with %d", pid, code)


def _live(
    forker: int, asked: dict[str, object], descriptors: list[int], arguments: argparse.Namespace
) -> None:
    """An access process from its birth to its end."""
    code = 1
    try:
        if end_with(forker):
            name, schemes = str(asked["name"]), str(asked["schemes"]).split()
            link, *listeners = (socket.socket(fileno=descriptor) for descriptor in descriptors)
            _serve(name, link, list(zip(schemes, listeners, strict=True)), arguments)
        code = 0
    except SystemExit as end:
        print(end, file=sys.stderr)
    except BaseException:  # a forked child must never run on into its parent's code
        log.exception("an access process broke")
    finally:
        logging.shutdown()
        sys.stderr.flush()
        os._exit(code)


def _serve(
    name: str,
    link: socket.socket,
    listeners: list[tuple[str, socket.socket]],
    arguments: argparse.Namespace,
) -> None:
    """Until the parent says Drain or goes away."""
    os.nice(_NICENESS)
    leaving, orphaned = Event(), Event()

    def lose_parent() -> None:
        orphaned.set()
        leaving.set()

    links = Links(pace_s=arguments.pace)
    service = RemoteService(link, leaving.set, lose_parent, links)
    clock = time.time if arguments.disturbances is None else Disturbances(arguments.disturbances).clock
    node = AccessNode(
        name,
        service,
        TokenSigner(load_or_create_secret(arguments.data), clock=clock),
        default_heartbeat_s=arguments.heartbeat,
        pace_s=arguments.pace,
        clock=clock,
    )
    service.node = node
    carry = carrying(_context(name, arguments))
    for scheme, listener in listeners:
        node.lines.listen(listener, carry[scheme])
    gevent.signal_handler(signal.SIGTERM, leaving.set)
    ticker = Ticker(_LOAD_EVERY_S, lambda: service.channel.send(Load(node.lines.held, node.counts)))
    service.channel.send(Ready(os.getpid()))
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
    links.close()


def _context(name: str, arguments: argparse.Namespace) -> ssl.SSLContext | None:
    if arguments.tls_cert is None:
        return None
    try:
        return server_context(arguments.tls_cert, arguments.tls_key)
    except OSError as error:
        # It could be read when the server was started: somebody is at it, and the next process finds it.
        sys.exit(f"{name}: certificate {arguments.tls_cert}: {error.strerror or error}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="refserver.access")
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--control", type=int, required=True)
    parser.add_argument("--tls-cert", type=Path)
    parser.add_argument("--tls-key", type=Path)
    parser.add_argument("--data", required=True)
    parser.add_argument("--heartbeat", type=int, required=True)
    parser.add_argument("--pace", type=float, required=True)
    parser.add_argument("--disturbances", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
