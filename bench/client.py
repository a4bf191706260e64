"""An idle client that only beats: memory and CPU of ours, sans-I/O, against the least that could do it."""

import gc
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import psutil

from bench.row import Options, Row

NAME = "client"
BEATS = 5
HEARTBEAT_S = 60

Beat = Callable[[], None]


def run(options: Options) -> list[Row]:
    """Bytes a client and CPU µs a heartbeat (due, sent, answered), each kind in a process of its own."""
    rows = []
    for what, kind in KINDS.items():
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
            figures = process.submit(_measured, kind, options.clients).result()
        rows.append(Row(what, figures, peer=kind is not _ours))
    return rows


def _measured(kind: Callable[[int], tuple[Any, Beat]], count: int) -> dict[str, float]:
    kind(10)  # what is loaded once belongs to nobody
    memory = psutil.Process().memory_info
    gc.collect()
    before = memory().rss
    kept, beat_all = kind(count)
    gc.collect()
    taken = memory().rss - before
    beat_all()
    began = time.process_time()
    for _ in range(BEATS):
        beat_all()
    took_s = time.process_time() - began
    del kept
    return {"bytes a client": taken / count, "µs a heartbeat": took_s / count / BEATS * 1e6}


def _ours(count: int) -> tuple[Any, Beat]:
    import random

    from drivers.client import Client, State, Surroundings
    from drivers.contract import Identity
    from drivers.endpoints import parse_target
    from drivers.policy import Policy
    from protocol import frames, messages

    class Roster:
        def identity(self, index: int) -> Identity:
            return Identity("anna", "phone", "token")

    policy = Policy(heartbeat_s=HEARTBEAT_S, dice=random.Random(7))
    target = parse_target("chat+tcp://127.0.0.1:14000")
    surroundings = Surroundings((target,), Roster(), policy, lambda client, event, now: None)
    welcome = frames.encode(messages.LoggedIn("anna", 1, 0, HEARTBEAT_S, [], 0, "n"))
    pong = frames.encode(messages.Pong(version=0, heartbeat_s=HEARTBEAT_S))

    def online(index: int) -> Client:
        client = Client(surroundings, index)
        client.start(0.0)
        now = 0.0
        while client.state is State.WAITING:
            now = client.deadline
            client.tick(now)
        client.dialled(now)
        client.connected(now)
        client.take()
        client.receive(welcome, now)
        client.take()
        return client

    clients = [online(index) for index in range(count)]

    def beat_all() -> None:
        for client in clients:
            now = client.deadline
            client.tick(now)
            if client.take():
                client.receive(pong, now)

    return clients, beat_all


def _dicts(count: int) -> tuple[Any, Beat]:
    ping, pong = b"\xc7\x03\0\0\0\0\0\0", b"\xc7\x04\0\0\0\0\0\0"
    clients = [{"index": index, "version": 0, "deadline": HEARTBEAT_S, "sent": 0.0} for index in range(count)]

    def beat_all() -> None:
        for client in clients:
            now = client["deadline"]
            client["sent"], said, heard = now, bytes(ping), bytes(pong)
            if said and heard[1] == 4:
                client["deadline"] = now + HEARTBEAT_S

    return clients, beat_all


def _greenlets(count: int) -> tuple[Any, Beat]:
    from greenlet import getcurrent, greenlet

    ping, pong = b"\xc7\x03\0\0\0\0\0\0", b"\xc7\x04\0\0\0\0\0\0"
    hub = getcurrent()

    def live() -> None:
        due = 0.0
        while True:
            if hub.switch(ping)[1] == 4:
                due += HEARTBEAT_S

    clients = [greenlet(live) for _ in range(count)]
    for client in clients:
        client.switch()

    def beat_all() -> None:
        for client in clients:
            client.switch(pong)

    return clients, beat_all


KINDS = {"ours (drivers.client)": _ours, "a dict each": _dicts, "a greenlet each": _greenlets}
