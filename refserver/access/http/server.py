"""HTTP as another access node: sockets on one poller, calls to business, no greenlet for whoever waits."""

import logging
import select
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from protocol.limits import MAX_NAME_CHARS
from protocol.messages import Entry, Message
from reactor import sockets
from reactor.poller import Poller
from reactor.wheel import Ticker, TimerWheel
from refserver.access.acceptor import Acceptor
from refserver.access.carriers.kinds import Carrying
from refserver.access.http import routes
from refserver.access.http.answers import Answer
from refserver.access.http.call import Call
from refserver.access.http.channel import Channel
from refserver.access.http.exchange import Exchange
from refserver.access.http.parsing import Request
from refserver.access.http.routes import Route
from refserver.face import Service
from refserver.tokens import TokenRefused, TokenSigner

log = logging.getLogger(__name__)

TICK_S = 0.1
DEFAULT_DEVICE = "http"
_MAX_QUERY_FIELDS = 16
_SHUTTING = select.EPOLLHUP | select.EPOLLERR


@dataclass(slots=True)
class Accounts:
    """`check(user, password)` may wait: it is called in a greenlet. `under_way` counts such calls."""

    signer: TokenSigner
    check: Callable[[str, str], bool]
    token_ttl_s: float = 30 * 86400.0
    under_way: int = 0


class HttpNode:
    """`refserver.face.Node` for short requests; connections are those of calls. Implements exchange.Host.

    `endpoints()`: URL and load of each listener, a host of `WILDCARDS` standing for the address that the
    asker has reached. `names`: what HTTPDNS knows. `metrics()`: what /metrics answers with. `held[door]`:
    connections open that came in by a door.
    """

    def __init__(
        self,
        name: str,
        service: Service,
        accounts: Accounts,
        endpoints: Callable[[], list[tuple[str, int]]] = list,
        names: Mapping[str, tuple[str, ...]] | None = None,
        metrics: Callable[[], str] = str,
    ) -> None:
        routes.load()
        self.name = name
        self.accounts = accounts
        self.endpoints = endpoints
        self.names = names or {}
        self.metrics = metrics
        self.draining = False
        self.held: list[int] = [0]
        self._service = service
        now = time.monotonic()
        self._poller = Poller(self._handle)
        self._acceptor = Acceptor(self._poller)
        # By descriptor of a listener: plain HTTP has no entry.
        self._carry: dict[int, Callable[[], Carrying]] = {}
        self._door_of: dict[int, int] = {}
        self._exchanges: dict[int, Exchange] = {}
        self._interest: dict[int, tuple[bool, bool]] = {}
        self._calls: dict[int, tuple[Call, Exchange]] = {}
        self._watching: dict[str, dict[int, Callable[[Entry], None]]] = {}
        self._alarms: TimerWheel[int] = TimerWheel(now, tick_s=TICK_S, slots=1024)
        self._ticker = Ticker(TICK_S, self._tick)
        self._last_number = 0

    # -- sockets

    def new_door(self) -> int:
        """The number of a further way in, whose connections are counted in `held`."""
        self.held.append(0)
        return len(self.held) - 1

    def listen(self, listener: socket.socket, carry: Callable[[], Carrying] | None = None) -> int:
        """Connections of `listener` come here, each with a carrier of its own if `carry` makes them; it is
        closed by `drain` or `stop`. The number of its door."""
        if carry is not None:
            self._carry[listener.fileno()] = carry
        door = self._door_of[listener.fileno()] = self.new_door()
        self._acceptor.add(listener)
        return door

    def adopt(
        self, fd: int, now: float, carrier: Carrying | None = None, *, door: int = 0, heard: bytes = b""
    ) -> Exchange:
        """A connected socket that does not block is served, and closed, by this node from now on. `heard`:
        what has been read of it already, after the carrier."""
        exchange = self._exchanges[fd] = Exchange(self, Channel(fd, carrier), now, door)
        self.held[door] += 1
        self._interest[fd] = (True, False)
        self._poller.add(fd)
        if heard:
            try:
                exchange.hear(heard, now)
            except OSError:
                self.close(exchange)
        return exchange

    @property
    def count(self) -> int:
        """Open connections."""
        return len(self._exchanges)

    @property
    def calls_under_way(self) -> int:
        """Requests without an answer so far."""
        return len(self._calls)

    def _handle(self, ready: list[tuple[int, int]]) -> None:
        now = time.monotonic()
        for fd, mask in ready:
            exchange = self._exchanges.get(fd)
            if exchange is None:
                carry = self._carry.get(fd)
                for accepted in self._acceptor.accept(fd):
                    self.adopt(accepted, now, None if carry is None else carry(), door=self._door_of[fd])
                continue
            try:
                if mask & select.EPOLLOUT:
                    exchange.writable(now)
                if mask & _SHUTTING and not exchange.wants_read:
                    self.close(exchange)
                elif mask != select.EPOLLOUT and exchange.wants_read:
                    exchange.readable(now)
            except OSError:
                self.close(exchange)
            except Exception:
                log.exception("a fault of this server costs an HTTP connection")
                self.close(exchange)

    def interest(self, exchange: Exchange) -> None:
        wanted = (exchange.wants_read, exchange.wants_write)
        if self._interest.get(exchange.fd, wanted) != wanted and self._exchanges.get(exchange.fd) is exchange:
            self._interest[exchange.fd] = wanted
            self._poller.watch(exchange.fd, read=wanted[0], write=wanted[1])

    def close(self, exchange: Exchange) -> None:
        if self._exchanges.get(exchange.fd) is not exchange:
            return
        del self._exchanges[exchange.fd], self._interest[exchange.fd]
        self.held[exchange.door] -= 1
        exchange.closing = True
        self._poller.remove(exchange.fd)
        exchange.channel.close()
        if exchange.call is not None:
            del self._calls[exchange.call.number]
            exchange.call.abandon()

    def _tick(self) -> None:
        now = time.monotonic()
        for exchange in list(self._exchanges.values()):
            if exchange.deadline <= now:
                try:
                    exchange.time_is_over(now)
                except OSError:
                    self.close(exchange)
        for number in self._alarms.advance(now):
            self._ring(number)

    def _ring(self, number: int) -> None:
        call, _ = self._calls.get(number, (None, None))
        if call is not None and call.on_time is not None:
            on_time, call.on_time = call.on_time, None
            on_time()

    # -- requests

    def begin(self, exchange: Exchange, request: Request) -> None:
        self._last_number += 1
        call = Call(self, self._last_number)
        self._calls[call.number] = (call, exchange)
        exchange.call = call
        if self.draining:
            call.fail(HTTPStatus.SERVICE_UNAVAILABLE, "this server is draining: try again in 1000 ms")
            return
        path, query = _split(request.target)
        found = routes.find(path)
        if found is None:
            call.fail(HTTPStatus.NOT_FOUND, f"there is no {path}")
            return
        methods, call.names = found
        route = methods.get("GET" if request.method == "HEAD" else request.method)
        if route is None:
            allowed = ", ".join(sorted(methods) + (["HEAD"] if "GET" in methods else []))
            refusal = f"{request.method} is not offered here, only {allowed}"
            call.fail(HTTPStatus.METHOD_NOT_ALLOWED, refusal, headers={"Allow": allowed})
        elif route.public or self._is_known(call, request):
            self._run(call, route, request, query)

    def _is_known(self, call: Call, request: Request) -> bool:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            call.fail(HTTPStatus.UNAUTHORIZED, "this needs a header Authorization: Bearer TOKEN")
            return False
        try:
            call.user = self.accounts.signer.verify(token.strip())
        except TokenRefused as error:
            call.fail(HTTPStatus.UNAUTHORIZED, str(error))
            return False
        call.device = request.headers.get("x-device") or DEFAULT_DEVICE
        if len(call.device) > MAX_NAME_CHARS:
            call.fail(HTTPStatus.BAD_REQUEST, f"X-Device is longer than {MAX_NAME_CHARS} characters")
            return False
        return True

    def _run(self, call: Call, route: Route, request: Request, query: str) -> None:
        try:
            wanted: msgspec.Struct
            if route.method == "GET":
                wanted = msgspec.convert(_fields(query), route.request, strict=False)
            else:
                wanted = _decoded(request.body, route.request)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            call.fail(HTTPStatus.BAD_REQUEST, str(error))
            return
        try:
            route.handler(call, wanted)
        except Exception:
            log.exception("%s %s failed", route.method, route.path)
            call.fail(HTTPStatus.INTERNAL_SERVER_ERROR, "a fault of this server")

    # -- for calls

    def reached_by(self, call: Call) -> str:
        """The address of this machine that the call's client is connected to."""
        _, exchange = self._calls[call.number]
        return sockets.local_host(exchange.fd)

    def answered(self, call: Call, answer: Answer) -> None:
        """The call's answer goes out when its turn on the connection has come, which is now."""
        _, exchange = self._calls.pop(call.number)
        try:
            exchange.answer(answer, last=self.draining)
        except OSError:
            self.close(exchange)

    def ask(self, call: Call, message: Message) -> None:
        """The reply comes to `call.replied`."""
        self._service.request(self, call.number, call.user, call.device, message)

    def watch(self, call: Call, pushed: Callable[[Entry], None]) -> None:
        """Until the call ends, `pushed` gets each new entry of its user."""
        user = call.user
        self._watching.setdefault(user, {})[call.number] = pushed
        self._service.watch(self, user)

        def unwatch() -> None:
            watchers = self._watching[user]
            del watchers[call.number]
            if not watchers:
                del self._watching[user]
            self._service.detach(self, user)

        call.on_end = unwatch

    def wake_after(self, call: Call, seconds: float) -> None:
        """`call.on_time` is called after that time, up to 100 s, unless the call has ended."""
        self._alarms.arm(call.number, time.monotonic() + seconds)

    # -- from business (refserver.face.Node)

    def attached(self, connection: int, newest: int) -> None:
        """Calls do not attach: nothing to do."""

    def reply(self, connection: int, message: Message) -> None:
        call, _ = self._calls.get(connection, (None, None))
        if call is not None:
            call.replied(message)

    def push(self, user: str, entry: Entry, except_connection: int | None = None) -> None:
        for pushed in list(self._watching.get(user, {}).values()):
            pushed(entry)

    def tell(self, user: str, message: Message, except_connection: int | None) -> None:
        """Nobody listens here between two calls: nothing to do."""

    def replaced(self, user: str, device: str, except_connection: int | None) -> None:
        """A call is no login: nothing to do."""

    # -- the end

    def drain(self) -> None:
        """Nobody is accepted; idle connections end; long polls are answered with what there is, the rest
        as soon as business has answered."""
        self.draining = True
        self._stop_listening()
        for number in list(self._calls):
            self._ring(number)
        for exchange in list(self._exchanges.values()):
            if exchange.is_idle:
                self.close(exchange)

    def stop(self) -> None:
        """Every connection and timer ends now."""
        self._stop_listening()
        self._ticker.stop()
        for exchange in list(self._exchanges.values()):
            self.close(exchange)
        self._poller.close()

    def _stop_listening(self) -> None:
        self._acceptor.stop()
        self._carry.clear()
        self._door_of.clear()


def _fields(query: str) -> dict[str, str]:
    pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=_MAX_QUERY_FIELDS)
    fields = dict(pairs)
    if len(fields) < len(pairs):
        # Whoever stands between might have looked at another one than we do.
        raise ValueError("a query field is given twice")
    return fields


def _decoded(body: bytes, kind: type[msgspec.Struct]) -> msgspec.Struct:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError:
        # JSON knows one kind of number: some clients write 3 as 3.0, and mean it.
        return msgspec.convert(_with_integers(msgspec.json.decode(body)), kind)


def _with_integers(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_integers(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_with_integers(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _split(target: str) -> tuple[str, str]:
    if target.startswith("/"):
        path, _, query = target.partition("?")
        return path, query
    parts = urlsplit(target)
    return parts.path, parts.query
