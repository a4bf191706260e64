"""A whole server: storage, business, access and HTTP, in one process or several, until told to end."""

import gc
import logging
import os
import signal
import socket
import time

import gevent
from gevent.event import Event
from gevent.threadpool import ThreadPool

from refserver import accounts
from refserver.access.carriers.kinds import carrying
from refserver.access.http.server import Accounts, HttpNode
from refserver.access.leaving import leave
from refserver.access.node import AccessNode
from refserver.business import Business
from refserver.settings import LONG, Address, ServeError, ServeSettings, raise_descriptor_limit
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
        server.start()
        print(server.line(), flush=True)
        gc.collect()
        gc.freeze()
        stop.wait()
        server.drain()
    finally:
        server.close()


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
        try:
            signer = TokenSigner(load_or_create_secret(settings.data_dir))
            self._storage = Storage.open(settings.data_dir)
        except Exception as error:
            raise ServeError(
                f"data directory {settings.data_dir} cannot be opened: {str(error).splitlines()[0]}",
                environment=True,
            ) from error
        self._business = Business(
            self._storage, friends_only=settings.friends_only, rate_limit=settings.limit()
        )
        self._node: AccessNode | None = None
        self._workers: Workers | None = None
        if settings.access_processes:
            self._workers = Workers(settings, list(listening.of(*LONG)), self._business)
        else:
            self._node = AccessNode(
                "access-0", self._business, signer, default_heartbeat_s=settings.default_heartbeat_s
            )
        # One thread: however many passwords are tried, they take no more than one core from the messages.
        self._passwords = ThreadPool(1)
        self._http = HttpNode("http", self._business, Accounts(signer, self._check_password), self._endpoints)

    def _check_password(self, user: str, password: str) -> bool:
        known: bool = self._passwords.apply(accounts.check_password, (self._storage.engine, user, password))
        return known

    def start(self) -> None:
        """Everything listens."""
        if self._workers is not None:
            self._workers.start()
        carry = carrying(self._settings.tls_context(self._listening.schemes))
        if self._node is not None:
            for address, listener in self._listening.of(*LONG).items():
                self._node.lines.listen(listener, carry[address.scheme])
        for address, listener in self._listening.of("http", "https").items():
            self._http.listen(listener, carry["tls"] if address.scheme == "https" else None)

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
        held = 0
        if self._node is not None:
            held = self._node.lines.count
        elif self._workers is not None:
            held = self._workers.connections
        return [
            (address.url, self._http.count if address.scheme not in LONG else held)
            for address in self._listening.by_address
        ]

    def drain(self) -> None:
        """Nobody new; what is under way is answered; everybody is told to go."""
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
        self._http.stop()
        self._business.close()
        self._passwords.kill()
        self._storage.close()
        self._listening.close()
