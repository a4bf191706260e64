"""The fault proxy: bytes through one connection, round trips, connections held; the original, if there."""

import shutil
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.measured import Measured, PeerFailed, line_of, module, running, wait_until
from bench.row import Options, Row
from chaos.control import ToxiproxyControl
from chaos.errors import ToxiproxyError
from protocol.frames import encode
from protocol.messages import Send

NAME = "proxy"
ORIGINAL = "toxiproxy-server"

MBYTES, CORE, RTT, ADDED, HELD, CONTROL = (
    "MB/s",
    "MB/s a core of the proxy",
    "round trip µs",
    "µs added",
    "bytes a connection",
    "ms to add and remove a toxic under load, worst",
)
MOST_HELD = 5_000
MOST_WINDOW_S = 3
"""Bytes are counted for no longer, however long the window of the table is."""
_ROUND_TRIPS, _CHANGES = 3_000, 50
_CHUNK = bytes(256 * 1024)
_START_S = 20.0

Address = tuple[str, int]


def run(options: Options) -> list[Row]:
    """Through nothing, through ours, through ours with toxics that change nothing, through the original."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        log = Path(folder) / "log"
        window_s = min(options.window, MOST_WINDOW_S)
        straight = _carried(lambda upstream: upstream, None, _CHUNK, window_s)
        straight[RTT] = _round_trip_us(lambda upstream: upstream)
        rows = [Row("no proxy", straight, floor=True)]
        control, measured = stack.enter_context(_ours(log))
        rows.append(Row("ours", _all(control, measured, straight[RTT], options)))
        frames = encode(Send("c", "anna", "text", bytes(2000))) * 100
        rows.append(Row("ours, chat frames of 2 KB", _carried(_way(control), measured, frames, window_s)))
        for name, what in (("latency", "ours, latency of 0 ms"), ("frame_loss", "ours, frame_loss of 0 %")):
            rows.append(Row(what, _carried(_way(control, name), measured, frames, window_s)))
        if shutil.which(ORIGINAL) is None:
            rows.append(Row("Shopify's", {}, peer=True, note=f"no {ORIGINAL} on PATH"))
        else:
            control, measured = stack.enter_context(_original(log))
            rows.append(Row("Shopify's", _all(control, measured, straight[RTT], options), peer=True))
    return rows


def _all(
    control: ToxiproxyControl, measured: Measured, floor_us: float, options: Options
) -> dict[str, float]:
    figures = _carried(_way(control), measured, _CHUNK, min(options.window, MOST_WINDOW_S))
    figures[RTT] = _round_trip_us(_way(control))
    figures[ADDED] = figures[RTT] - floor_us
    figures[CONTROL] = _control_ms(control)
    figures[HELD] = _held_bytes(control, measured, min(options.connections, MOST_HELD))
    return figures


@contextmanager
def _ours(log: Path) -> Iterator[tuple[ToxiproxyControl, Measured]]:
    command = module("chatproof", "toxiproxy", "-host", "127.0.0.1", "-port", 0)
    with running(command, log) as process:
        yield ToxiproxyControl(line_of(process, log).decode().split()[-1]), Measured([process.pid])


@contextmanager
def _original(log: Path) -> Iterator[tuple[ToxiproxyControl, Measured]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with running([ORIGINAL, "-host", "127.0.0.1", "-port", str(port)], log) as process:
        control = ToxiproxyControl(f"http://127.0.0.1:{port}")
        if not wait_until(lambda: _answers(control), _START_S):
            raise PeerFailed(f"{ORIGINAL} does not answer")
        yield control, Measured([process.pid])


def _answers(control: ToxiproxyControl) -> bool:
    try:
        return bool(control.version())
    except ToxiproxyError:
        return False


def _way(control: ToxiproxyControl, toxic: str | None = None) -> Callable[[Address], Address]:
    """To where somebody connects who wants to reach an upstream through a new proxy."""

    def listen(upstream: Address) -> Address:
        name = f"to {upstream[1]}"
        host, _, port = control.create_proxy(name, "127.0.0.1:0", "{}:{}".format(*upstream)).rpartition(":")
        if toxic is not None:
            control.add_toxic(name, toxic, stream="upstream")
        return host, int(port)

    return listen


@contextmanager
def _connected(way: Callable[[Address], Address]) -> Iterator[tuple[socket.socket, socket.socket]]:
    with ExitStack() as stack:
        upstream = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        client = stack.enter_context(socket.create_connection(way(upstream.getsockname())))
        server = stack.enter_context(upstream.accept()[0])
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield client, server


@contextmanager
def _flowing(way: Callable[[Address], Address], chunk: bytes) -> Iterator[Callable[[], int]]:
    """As much as goes, upstream; gives a count of the bytes that have come out so far."""
    came = [0]

    def send(client: socket.socket) -> None:
        try:
            while True:
                client.sendall(chunk)
        except OSError:
            return  # the end of the measurement

    def receive(server: socket.socket) -> None:
        buffer = bytearray(2**20)
        while got := server.recv_into(buffer):
            came[0] += got

    with _connected(way) as (client, server):
        threads = [
            threading.Thread(target=send, args=(client,)),
            threading.Thread(target=receive, args=(server,)),
        ]
        for thread in threads:
            thread.start()
        try:
            yield lambda: came[0]
        finally:
            client.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join()


def _carried(
    way: Callable[[Address], Address], measured: Measured | None, chunk: bytes, window_s: float
) -> dict[str, float]:
    with _flowing(way, chunk) as came:
        wait_until(lambda: came() > 0, _START_S)
        began, bytes_before, cpu_s = time.monotonic(), came(), measured.cpu_s() if measured else 0.0
        time.sleep(window_s)
        took_s, carried = time.monotonic() - began, came() - bytes_before
        figures = {MBYTES: carried / took_s / 1e6}
        if measured is not None:
            figures[CORE] = carried / (measured.cpu_s() - cpu_s) / 1e6
    return figures


def _round_trip_us(way: Callable[[Address], Address]) -> float:
    """The median."""
    trips = []
    with _connected(way) as (client, server):

        def echo() -> None:
            while data := server.recv(64):
                server.sendall(data)

        thread = threading.Thread(target=echo)
        thread.start()
        for _ in range(_ROUND_TRIPS):
            began = time.perf_counter()
            client.sendall(b"x" * 64)
            client.recv(64)
            trips.append(time.perf_counter() - began)
        client.shutdown(socket.SHUT_WR)
        thread.join()
    return statistics.median(trips) * 1e6


def _control_ms(control: ToxiproxyControl) -> float:
    worst = 0.0
    names = set(control.proxies())
    with _flowing(_way(control), _CHUNK):
        (proxy,) = set(control.proxies()) - names
        for _ in range(_CHANGES):
            began = time.perf_counter()
            control.remove_toxic(proxy, control.add_toxic(proxy, "latency"))
            worst = max(worst, time.perf_counter() - began)
    return worst * 1e3


def _held_bytes(control: ToxiproxyControl, measured: Measured, count: int) -> float:
    """All of them connected, and each has carried something either way."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as upstream, ExitStack() as stack:
        address = _way(control)(upstream.getsockname())

        def hold() -> None:
            client = stack.enter_context(socket.create_connection(address))
            server = stack.enter_context(upstream.accept()[0])
            for one, other in ((client, server), (server, client)):
                one.sendall(b"\xc7")
                other.recv(1)

        for _ in range(20):  # what is made once belongs to nobody
            hold()
        before = measured.rss_bytes()
        for _ in range(count):
            hold()
        return (measured.rss_bytes() - before) / count
