"""The server: API and proxies in one hub, to be embedded or to be run as a process."""

import os
import resource
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import gevent
from gevent.event import Event
from gevent.pywsgi import WSGIHandler, WSGIServer

from chaos.toxics import toxic_types
from chaos.toxiproxy import addresses, gojson
from chaos.toxiproxy.api import Api
from chaos.toxiproxy.collection import ApiError, Collection
from chaos.toxiproxy.engine import Engine
from chaos.toxiproxy.metrics import proxy_metrics, runtime_metrics

IDLE_LIMIT_S = 60.0


class _Handler(WSGIHandler):
    """A client that says nothing for long, or nonsense, loses its connection, and nothing is logged of it."""

    def handle(self) -> None:
        self.socket.settimeout(IDLE_LIMIT_S)
        super().handle()

    def read_request(self, raw_requestline: str) -> Any:
        try:
            return super().read_request(raw_requestline)
        except OSError:
            return None

    def log_error(self, msg: str, *args: Any) -> None:
        pass


class ToxiproxyServer:
    """Serves from `start` to `stop`, in the hub of the thread that called `start`.

    Whoever talks to it from that thread has to use cooperative sockets. `seed` makes toxicity and losses
    repeatable: the n-th connection of a proxy draws the same in each run. Port 0 takes a free one.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 8474,
        *,
        seed: int | None = None,
        show_proxy_metrics: bool = False,
        show_runtime_metrics: bool = False,
        keep_sources: bool = False,
    ) -> None:
        self.host = host
        self._keep_sources = keep_sources
        self.port = port
        self._seed = int.from_bytes(os.urandom(8), "big") if seed is None else seed
        self._parts = [
            *([lambda: proxy_metrics(self.collection)] if show_proxy_metrics else []),
            *([runtime_metrics] if show_runtime_metrics else []),
        ]
        self._engine: Engine | None = None
        self._http: WSGIServer | None = None
        self.collection: Collection

    def start(self, config: Path | None = None) -> str | None:
        """The API answers at `port`, and the proxies of `config` are there before it does. Returns what is
        wrong with that file, None if nothing: proxies up to the wrong one are there.

        Raises OSError with a text that says which address cannot be had.
        """
        try:
            listener = addresses.listen(addresses.resolve_listen(addresses.join(self.host, self.port)))
        except addresses.AddressError as error:
            raise OSError(f"toxiproxy cannot serve its API: {error}; choose another -host or -port") from None
        self.port = listener.getsockname()[1]
        toxic_types()  # found now: reading files later would hold up connections
        self._engine = Engine(self._seed, keeps_sources=self._keep_sources)
        self.collection = Collection(self._engine)
        api = Api(self.collection, self._metrics if self._parts else None)
        self._http = WSGIServer(_cooperative(listener), api, log=None, handler_class=_Handler)
        complaint = None
        if config is not None:
            try:
                self.populate(config)
            except (OSError, ValueError) as error:
                complaint = str(error)
        self._http.start()
        return complaint

    def stop(self) -> None:
        """Nothing listens any more and all connections are closed. Stopping twice is allowed."""
        if self._http is not None:
            self._http.stop(timeout=1)
            self._http = None
        if self._engine is not None:
            self.collection.stop()
            self._engine.close()
            self._engine = None

    @property
    def address(self) -> str:
        """host:port of the API."""
        return addresses.join(self.host, self.port)

    def populate(self, config: Path) -> None:
        """Create the proxies of a file, which is the body of /populate. Raises OSError or ValueError."""
        try:
            items = gojson.read(config.read_bytes())
            if not isinstance(items, list):
                raise gojson.mismatch_value(items, "[]toxiproxy.Proxy")
            self.collection.populate([gojson.proxy_input(item) for item in items])
        except (gojson.BodyError, ApiError) as error:
            raise ValueError(f"{config}: {error}") from None

    def _metrics(self) -> str:
        return "".join(part() for part in self._parts)


def _cooperative(listener: socket.socket) -> gevent.socket.socket:
    return gevent.socket.socket(listener.family, listener.type, fileno=listener.detach())


def serve(
    host: str,
    port: int,
    config: Path | None,
    seed: int | None,
    proxy_metrics: bool,
    runtime_metrics: bool,
    keep_sources: bool = False,
) -> None:
    """Runs until SIGTERM or SIGINT. Prints one line with the address once it listens. Raises OSError.

    A config that cannot be used is reported on stderr and does not keep the server from running, as in the
    original.
    """
    # A proxied connection takes two descriptors, and the usual soft limit is 1,024.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    server = ToxiproxyServer(
        host,
        port,
        seed=seed,
        show_proxy_metrics=proxy_metrics,
        show_runtime_metrics=runtime_metrics,
        keep_sources=keep_sources,
    )
    stopped = Event()
    watchers = [gevent.signal_handler(number, stopped.set) for number in (signal.SIGTERM, signal.SIGINT)]
    try:
        complaint = server.start(config)
        if complaint is not None:
            print(f"toxiproxy: config not used: {complaint}", file=sys.stderr, flush=True)
        print(f"toxiproxy listens on http://{server.address}", flush=True)
        stopped.wait()
    finally:
        for watcher in watchers:
            watcher.cancel()
        server.stop()
