"""Two users who go on talking while somebody attacks their server, and what that costs the server."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import quantiles

import gevent
import psutil
from chat_client import ChatClient

from protocol.messages import Message, Push, Pushed, Send, Sent
from refserver.process import ServerProcess
from refserver.tokens import TokenSigner, load_or_create_secret

PATIENCE_S = 120.0
_EVERY_S = 0.05


@dataclass
class Server:
    """A server process with friends `talker` and `listener`, seen from outside."""

    process: ServerProcess

    def __post_init__(self) -> None:
        self._seen = psutil.Process(self.process.pid)
        self._signer = TokenSigner(load_or_create_secret(self.process.data_dir))

    def client(self, user: str | None = None, device: str = "d", **login: object) -> ChatClient:
        client = ChatClient(address(self.process.tcp_urls[0]))
        if user is not None:
            client.login(self.token(user), device=device, **login)
        return client

    def token(self, user: str) -> str:
        return self._signer.issue(user, 600)

    @property
    def descriptors(self) -> int:
        return self._seen.num_fds()

    @property
    def rss_bytes(self) -> int:
        return self._seen.memory_info().rss


def address(url: str) -> tuple[str, int]:
    host, _, port = url.partition("://")[2].rpartition(":")
    return host, int(port)


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"in {PATIENCE_S:g} s it did not come about that {what}"
        gevent.sleep(0.02)


class Conversation:
    """One message after the other from `talker` to `listener`, each acknowledged, pushed and confirmed."""

    def __init__(self, server: Server) -> None:
        self._talker = server.client("talker")
        self._listener = server.client("listener")
        self.latencies_s: list[float] = []
        self._is_over = False
        self._greenlet = gevent.spawn(self._talk)

    def _talk(self) -> None:
        run = time.monotonic_ns()
        while not self._is_over:
            cid = f"{run}-{len(self.latencies_s)}"
            began = time.perf_counter()
            self._talker.send(Send(cid, "listener", "text", cid.encode()))
            push = self._next(self._listener, Push)
            assert push.body == cid.encode(), f"{push} instead of {cid}"
            assert self._next(self._talker, Sent).cid == cid
            self.latencies_s.append(time.perf_counter() - began)
            self._listener.send(Pushed(push.version))
            gevent.sleep(0.002)

    @staticmethod
    def _next(client: ChatClient, kind: type[Message]) -> Message:
        # A push that was late to be confirmed comes again, with its number of attempt.
        while True:
            message = client.expect(kind)
            if getattr(message, "attempt", 1) == 1:
                return message

    def more(self, count: int) -> None:
        """So many more messages have been delivered from now on."""
        until = len(self.latencies_s) + count
        wait_until(lambda: self._greenlet.dead or len(self.latencies_s) >= until, "messages are delivered")
        assert not self._greenlet.dead, self._greenlet.exception

    def end(self) -> None:
        """Everything said was heard. Raises what went wrong."""
        self._is_over = True
        self._greenlet.get()
        self._talker.close()
        self._listener.close()


@dataclass
class Siege:
    """`calm` and `attack` are latencies in seconds; `grown_bytes` what the server's memory grew by at most,
    `kept_bytes` what it still has of that when everybody is gone."""

    calm: list[float] = field(default_factory=list)
    attack: list[float] = field(default_factory=list)
    grown_bytes: int = 0
    kept_bytes: int = 0

    def __str__(self) -> str:
        return (
            f"calm {_figures(self.calm)}; attacked {_figures(self.attack)}; "
            f"memory +{self.grown_bytes / 1e6:.1f} MB, kept {self.kept_bytes / 1e6:.1f} MB"
        )


def _figures(latencies_s: list[float]) -> str:
    cuts = quantiles(latencies_s, n=100)
    return f"{len(latencies_s)} messages, p50 {cuts[49] * 1e3:.1f} ms, p99 {cuts[98] * 1e3:.1f} ms"


@contextmanager
def siege(server: Server) -> Iterator[Siege]:
    """The body is the attack; afterwards all its connections are gone from the server, by whatever end."""
    result = Siege()
    conversation = Conversation(server)
    conversation.more(50)
    descriptors, rss_bytes = server.descriptors, server.rss_bytes
    result.calm = list(conversation.latencies_s)
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_EVERY_S):
            result.grown_bytes = max(result.grown_bytes, server.rss_bytes - rss_bytes)

    # A thread, because an attack may keep the greenlets busy just when the memory is at its highest.
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield result
        conversation.more(1)
        result.attack = conversation.latencies_s[len(result.calm) :]
        wait_until(lambda: server.descriptors <= descriptors, "the server has closed what it opened")
        conversation.more(20)
    finally:
        ended.set()
        watcher.join()
        conversation.end()
    result.grown_bytes = max(result.grown_bytes, server.rss_bytes - rss_bytes)
    result.kept_bytes = server.rss_bytes - rss_bytes
    print(result)
