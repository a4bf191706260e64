"""Locust users that connect when they start and beat as their task, in this process."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from bench.peer import Load, ready

Connection = TypeVar("Connection")


def run_users(load: Load, connect: Callable[[], Connection], beat: Callable[[Connection], None]) -> None:
    """Never returns. Each heartbeat is reported to Locust's statistics, as users do it."""
    import gevent
    from locust import User, constant_pacing, task
    from locust.env import Environment

    class Beating(User):
        wait_time = constant_pacing(load.heartbeat_s)

        def on_start(self) -> None:
            self._connection: Any = connect()
            gevent.sleep(load.first_beat_s())

        @task
        def beat(self) -> None:
            began = time.perf_counter()
            beat(self._connection)
            took_ms = (time.perf_counter() - began) * 1000
            self.environment.events.request.fire(
                request_type="BEAT",
                name="heartbeat",
                response_time=took_ms,
                response_length=0,
                exception=None,
            )

    environment = Environment(user_classes=[Beating])
    runner = environment.create_local_runner()
    ready()
    runner.start(load.connections, spawn_rate=load.connections)
    runner.greenlet.join()
