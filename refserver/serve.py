"""A whole server: storage, business, access and HTTP, in one process or several, until told to end."""

import gc
import logging
import os
import signal
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import gevent
from gevent.event import Event
from gevent.threadpool import ThreadPool

from metrics.exposition import exposition
from metrics.metric import Family
from metrics.otlp import OtlpError, OtlpExport
from refserver import accounts
from refserver.access.carriers.kinds import Carrying, carrying
from refserver.access.counts import Counts
from refserver.access.front import Front
from refserver.access.http.server import Accounts, HttpNode
from refserver.access.leaving import leave
from refserver.access.node import AccessNode
from refserver.business import Business
from refserver.disturbances import Disturbances
from refserver.metrics import measured
from refserver.settings import ANY, LONG, Address, ServeError, ServeSettings, raise_descriptor_limit
from refserver.storage import Storage
from refserver.tokens import TokenSigner, load_or_create_secret
from refserver.workers import Workers

__all__ = ["ServeError", "ServeSettings", "serve"]

log = logging.getLogger(__name__)

DRAIN_S = 5.0


def serve(settings: ServeSettings) -> None:
    """Prints one line when everything listens, serves until SIGTERM or SIGINT, and drains.

    Raises ServeError, before anything is started, if the server cannot be what was asked.
    """
    addresses = settings.check()
    raise_descriptor_limit()
    listening = _Listening(addresses, shared=settings.access_processes > 0)
    try:
        server = Server(settings, listening)
    except BaseException:
        listening.close()
        raise
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, stop.set)
    try:
        exporting = _exporting(settings.otlp, server)
        server.start()
        print(server.line(), flush=True)
        if exporting is not None:
            exporting.start()
        gc.collect()
        gc.freeze()
        stop.wait()
        server.drain()
        if exporting is not None:
            exporting.stop()
    finally:
        server.close()


def _exporting(url: str, server: "Server") -> OtlpExport | None:
    try:
        return OtlpExport(url, server.measure, {"service.name": "chatproof-server"}) if url else None
    except OtlpError as error:
        raise ServeError(str(error), environment=error.missing) from error


class _Listening:
    """The sockets of all addresses, open before anything else exists. `shared`: those for long connections
    only hold their port for the access processes."""

    def __init__(self, addresses: list[Address], *, shared: bool) -> None:
        self.by_address: dict[Address, socket.socket] = {}
        self.shared = shared
        try:
            for address in addresses:
                is_held = shared and address.scheme in LONG
                listener = address.reserve() if is_held else address.open()
                self.by_address[address.with_port_of(listener)] = listener
        except ServeError:
            self.close()
            raise

    def of(self, *schemes: str) -> dict[Address, socket.socket]:
        return {address: each for address, each in self.by_address.items() if address.scheme in schemes}

    @property
    def schemes(self) -> set[str]:
        return {address.scheme for address in self.by_address}

    def close(self) -> None:
        for listener in self.by_address.values():
            listener.close()


class Server:
    """The parts of one server, put together. Nothing is accepted before `start`."""

    def __init__(self, settings: ServeSettings, listening: _Listening) -> None:
        self._settings = settings
        self._listening = listening
        clock: Callable[[], float] = time.time
        disturbances = None
        try:
            if settings.disturbances is not None:
                disturbances = Disturbances(settings.disturbances)
                clock = disturbances.clock
            signer = TokenSigner(load_or_create_secret(settings.data_dir), clock=clock)
            self._storage = Storage.open(settings.data_dir, disturbances)
        except Exception as error:
            raise ServeError(
                f"data directory {settings.data_dir} cannot be opened: {str(error).splitlines()[0]}",
                environment=True,
            ) from error
        self._business = Business(
            self._storage, friends_only=settings.friends_only, clock=clock, rate_limit=settings.limit()
        )
        self._node: AccessNode | None = None
        self._workers: Workers | None = None
        if settings.access_processes:
            self._workers = Workers(settings, list(listening.of(*LONG)), self._business)
        if self._workers is None or listening.of(ANY):
            self._node = AccessNode(
                "access-0",
                self._business,
                signer,
                default_heartbeat_s=settings.default_heartbeat_s,
                clock=clock,
            )
        # One thread: however many passwords are tried, they take no more than one core from the messages.
        self._passwords = ThreadPool(1)
        self._http = HttpNode(
            "http",
            self._business,
            Accounts(signer, self._check_password),
            self._endpoints,
            settings.names(),
            lambda: exposition(self.measure()),
        )
        self._front: Front | None = None
        # By address, how many connections came in there and are open.
        self._loads: dict[Address, Callable[[], int]] = {}

    def measure(self) -> list[Family]:
        """Everything there is to measure of the server now."""
        counts = Counts() if self._node is None else self._node.counts
        pids = {"server": os.getpid()}
        if self._workers is not None:
            counts += self._workers.counts
            pids |= self._workers.named_pids
        held = {address.url: load() for address, load in self._loads.items()}
        return measured(self._business.stats(), counts, held, self._http.calls_under_way, pids)

    def _check_password(self, user: str, password: str) -> bool:
        known: bool = self._passwords.apply(accounts.check_password, (self._storage.engine, user, password))
        return known

    def start(self) -> None:
        """Everything listens."""
        if self._workers is not None:
            self._workers.start()
        context = self._settings.tls_context(self._listening.schemes)
        carry = carrying(context)
        for address, listener in self._listening.by_address.items():
            self._loads[address] = self._listen(address, listener, carry, context)

    def _listen(
        self,
        address: Address,
        listener: socket.socket,
        carry: dict[str, Callable[[], Carrying] | None],
        context: ssl.SSLContext | None,
    ) -> Callable[[], int]:
        """What tells how many connections came in there and are open."""
        if address.scheme in ("http", "https"):
            http = self._http
            door = http.listen(listener, carry["tls"] if address.scheme == "https" else None)
            return lambda: http.held[door]
        if address.scheme in LONG and self._workers is not None:
            return partial(self._workers.held_at, address)
        assert self._node is not None
        lines = self._node.lines
        if address.scheme in LONG:
            door = lines.listen(listener, carry[address.scheme])
            return lambda: lines.held[door]
        if self._front is None:
            self._front = Front(lines, self._http, context)
        return partial(self._front.held_at, self._front.listen(listener))

    def line(self) -> str:
        """What is printed when everything listens. The first pid is that of this process."""
        urls = " ".join(address.url for address in self._listening.by_address)
        pids = ",".join(map(str, self._pids()))
        return (
            f"chatproof reference server listening on {urls} (data: {self._settings.data_dir}, pids: {pids})"
        )

    def _pids(self) -> list[int]:
        return [os.getpid(), *(self._workers.pids if self._workers is not None else [])]

    def _endpoints(self) -> list[tuple[str, int]]:
        return [
            (replace(address, scheme=scheme).url, held)
            for address, held in ((address, load()) for address, load in self._loads.items())
            for scheme in self._settings.spoken_at(address)
        ]

    def drain(self) -> None:
        """Nobody new; what is under way is answered; everybody is told to go."""
        if self._front is not None:
            self._front.stop_listening()
        self._http.drain()
        if self._node is not None:
            leave(self._node)
        if self._workers is not None:
            self._workers.drain()
        self._business.drain(DRAIN_S)
        deadline = time.monotonic() + DRAIN_S
        while self._http.calls_under_way and time.monotonic() < deadline:
            gevent.sleep(0.01)

    def close(self) -> None:
        """Whatever is still open ends now."""
        if self._workers is not None:
            self._workers.kill()
        if self._front is not None:
            self._front.close()
        self._http.stop()
        self._business.close()
        self._passwords.kill()
        self._storage.close()
        self._listening.close()
