"""Does what a climb wants done: asks schedulers and name servers, and sees who answers. A greenlet each, and
none while nobody climbs."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import gevent
import gevent.event
import gevent.socket
import gevent.ssl

from drivers.carriers.http_line import Answer, BrokenAnswer, Call, Line
from drivers.ladder.answers import Unbelievable, addresses_in, check_probe, points_in
from drivers.ladder.climb import AskHttpdns, AskResolver, AskScheduler, Climb, Probe, Task
from drivers.ladder.ladder import Ladder
from drivers.pumps.wire import Expected, Wire
from protocol.errors import RemoteProtocolError
from protocol.messages import Ping

PROBE_S = 5.0
ASK_S = 4.0
"""A name server or scheduler that is slower is dead to a client that has ten seconds."""

Resolve = Callable[[str], list[str]]
"""A name to addresses; may wait, raises OSError."""


def attend(ladder: Ladder | None) -> None:
    """From now on somebody does what the ladder wants done; to be called by each pump, once is enough."""
    if ladder is not None and ladder.send_out is None:
        ladder.send_out = Scouts(ladder).go


def system_addresses(name: str) -> list[str]:
    """What the resolver of the system says. Raises OSError."""
    found = gevent.socket.getaddrinfo(name, None, type=gevent.socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class Scouts:
    """Those of one ladder. `resolve`: who is asked when it is the system's turn."""

    def __init__(self, ladder: Ladder, resolve: Resolve = system_addresses) -> None:
        self._ladder = ladder
        self._resolve = resolve

    def go(self) -> None:
        """Somebody sees the climb through that has just begun."""
        climb = self._ladder.climb
        if climb is not None:
            gevent.spawn(self._see_through, climb)

    def _see_through(self, climb: Climb) -> None:
        news = gevent.event.Event()
        under_way: list[gevent.Greenlet[..., None]] = []
        try:
            while self._ladder.climb is climb:
                news.clear()
                under_way += [gevent.spawn(self._do, climb, task, news) for task in climb.take()]
                # Waiting even for a moment that is past lets those who were just spawned begin.
                news.wait(max(0.0, climb.deadline - time.monotonic()))
                self._ladder.settle(climb, time.monotonic())
        finally:
            gevent.killall(under_way, block=False)

    def _do(self, climb: Climb, task: Task, news: gevent.event.Event) -> None:
        tell: Callable[[float], Any]
        try:
            with gevent.Timeout(PROBE_S if isinstance(task, Probe) else ASK_S):
                tell = self._find_out(climb, task)
        except gevent.Timeout:
            tell = partial(_in_vain, climb, task, "no answer")
        except (OSError, Unbelievable, Expected, BrokenAnswer, RemoteProtocolError) as error:
            tell = partial(_in_vain, climb, task, getattr(error, "strerror", None) or str(error))
        tell(time.monotonic())
        news.set()

    def _find_out(self, climb: Climb, task: Task) -> Callable[[float], Any]:
        origin = self._ladder.origin
        match task:
            case Probe(route):
                with Wire(self._ladder.endpoints[route], timeout_s=PROBE_S) as wire:
                    wire.send(Ping())
                    check_probe(wire.next(PROBE_S))
                return partial(climb.answered, route)
            case AskScheduler(address, proxy):
                answer = self._get((address, origin.port), proxy, "/v1/endpoints")
                return partial(climb.points, task, points_in(answer))
            case AskHttpdns(server):
                answer = _get(server, None, f"/v1/resolve?name={origin.name}", _host(*server), None, "")
                return partial(climb.addresses, task, addresses_in(answer, origin.name)[0])
            case AskResolver():
                return partial(climb.addresses, task, self._resolve(origin.name))

    def _get(self, address: tuple[str, int], proxy: tuple[str, int] | None, path: str) -> Answer:
        origin = self._ladder.origin
        context = _context(origin.ca) if origin.is_secure else None
        return _get(address, proxy, path, _host(origin.name, origin.port), context, origin.name)


def _get(
    address: tuple[str, int],
    proxy: tuple[str, int] | None,
    path: str,
    host: str,
    context: "gevent.ssl.SSLContext | None",
    name: str,
) -> Answer:
    """What a GET is answered with. Raises OSError (SSLError among them) and BrokenAnswer."""
    connection = gevent.socket.create_connection(proxy or address, timeout=ASK_S)
    try:
        if context is not None:
            connection = context.wrap_socket(connection, server_hostname=name)
        # Through a proxy it is the address that counts: the name is what may not be resolved.
        prefix = "" if proxy is None else f"http://{_host(*address)}"
        line = Line(f"Host: {host}\r\nUser-Agent: chatproof\r\nConnection: close\r\n".encode())
        line.put(Call("GET", prefix + path, b"", None, ASK_S))
        connection.sendall(line.take(time.monotonic()))
        while True:
            data = connection.recv(65536)
            if not data:
                raise Unbelievable("the connection was closed in the middle of an answer")
            answered = line.receive(data)
            if answered is not None:
                return answered[1]
    finally:
        connection.close()


def _in_vain(climb: Climb, task: Task, why: str, now: float) -> None:
    if isinstance(task, Probe):
        climb.failed(task.route, why, now)
    else:
        climb.nothing(task, why, now)


def _context(ca: str) -> "gevent.ssl.SSLContext":
    context = gevent.ssl.SSLContext(gevent.ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = gevent.ssl.TLSVersion.TLSv1_2
    if ca:
        context.load_verify_locations(ca)
    else:
        context.load_default_certs()
    return context


def _host(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
