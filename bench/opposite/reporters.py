"""`python -m bench.opposite.reporters COUNT SECONDS`: a master, and so many that report to it.

The master is the one of a run. The others send what a swarm process sends each second, a sign of life and a
report of 230 heartbeats (14,000 connections, one a minute), from one process of their own, over loopback.
Prints JSON: `messages` and `bytes` in both directions, `cpu_s` of the master, `took_s`.
"""

import json
import os
import random
import signal
import sys
import time
from typing import Any

import zmq
from locust.env import Environment
from locust.rpc.protocol import Message
from locust.stats import RequestStats

from reactor import sockets

BEATS, RAMP_S = 230, 2.0


def report() -> dict[str, Any]:
    """A second of an idle swarm process with 14,000 connections."""
    stats, dice = RequestStats(), random.Random(1)
    for _ in range(BEATS):
        stats.log_request("BEAT", "heartbeat", round(dice.lognormvariate(1.0, 1.0)), 0)
    counts = dict.fromkeys(("due", "sent", "answered", "late", "missed", "abandoned"), BEATS)
    messages = dict.fromkeys(("sent", "acked", "rejected", "delivered", "repeated", "retransmitted"), 0)
    return {
        "stats": stats.serialize_stats(),
        "stats_total": stats.total.get_stripped_report(),
        "errors": {},
        "user_classes_count": {"Heartbeat": 28},
        "user_count": 28,
        "chatproof": {
            "connections": 14_000, "target": 14_000, "messages": messages, "beats": counts,
            "deliveries": dict.fromkeys(("expected", "owed", "overdue"), 0),
            "connects": {"opened": 14_000, "failed": 0, "dropped": 0},
            "sends": dict.fromkeys(("started", "late", "planned"), 0),
            "health": {"loop_lag_ms": 1.0, "cpu_share": 0.1, "rss_bytes": 10**8},
            "broken": None,
        },
    }  # fmt: skip


def report_all(count: int, port: int) -> None:
    """Until killed: each of `count` reports once a second, spread over it."""
    context = zmq.Context()
    context.set(zmq.MAX_SOCKETS, count + 10)
    reporters = []
    for number in range(count):
        name, line = f"reporter-{number}", context.socket(zmq.DEALER)
        line.setsockopt(zmq.IDENTITY, name.encode())
        line.connect(f"tcp://127.0.0.1:{port}")
        line.send(Message("client_ready", -1, name).serialize())
        reporters.append((name, line))
    content, began = report(), time.monotonic()
    alive = {"state": "running", "current_cpu_usage": 10.0, "current_memory_usage": 10**8}
    for turn in range(1 << 40):
        name, line = reporters[turn % count]
        time.sleep(max(0.0, began + turn / count - time.monotonic()))
        while line.poll(0):
            line.recv()
        line.send(Message("heartbeat", alive, name).serialize())
        line.send(Message("stats", content, name).serialize())


class Counted:
    """The master's own way to its workers, and what goes over it."""

    def __init__(self, server: Any) -> None:
        self.messages = self.bytes = 0
        self._receive, self._send = server.recv_from_client, server.send_to_client
        server.recv_from_client, server.send_to_client = self.receive, self.send

    def receive(self) -> Any:
        client, message = self._receive()
        self._count(message)
        return client, message

    def send(self, message: Message) -> None:
        self._count(message)
        self._send(message)

    def _count(self, message: Message) -> None:
        self.messages += 1
        self.bytes += _SIZES.get(message.type) or _SIZES.setdefault(message.type, len(message.serialize()))


_SIZES: dict[str, int] = {}


def main() -> None:
    count, seconds = int(sys.argv[1]), float(sys.argv[2])
    with sockets.reserve("127.0.0.1") as kept:
        port = kept.getsockname()[1]
        reporting = os.fork()
        if reporting == 0:
            report_all(count, port)
        try:
            print(json.dumps(_lead(count, port, seconds)))
        finally:
            os.kill(reporting, signal.SIGKILL)
            os.waitpid(reporting, 0)


def _lead(count: int, port: int, seconds: float) -> dict[str, float]:
    import gevent

    from chatproof.workers import new_environment
    from scenarios.parts import take_part

    environment: Environment = new_environment("heartbeat")
    runner = environment.create_master_runner("127.0.0.1", port)
    take_part(environment)
    counted = Counted(runner.server)
    while len(runner.clients) < count:
        gevent.sleep(0.05)
    gevent.sleep(RAMP_S)
    cpu_s, began, before = time.process_time(), time.monotonic(), (counted.messages, counted.bytes)
    gevent.sleep(seconds)
    return {
        "messages": counted.messages - before[0],
        "bytes": counted.bytes - before[1],
        "cpu_s": time.process_time() - cpu_s,
        "took_s": time.monotonic() - began,
    }


if __name__ == "__main__":
    main()
