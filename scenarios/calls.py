"""The master asks one process of another machine, and waits for its answer."""

import itertools
import time
from dataclasses import dataclass
from typing import Any

from gevent.event import AsyncResult
from locust.env import Environment
from locust.rpc import Message
from locust.runners import MasterRunner

from scenarios.words import PREFIX


@dataclass(frozen=True, slots=True)
class Answer:
    """`at_ns`: when it was here."""

    content: dict[str, Any]
    at_ns: int


class Calls:
    """Any number of questions may be under way, each in a greenlet of its own."""

    def __init__(self, runner: MasterRunner) -> None:
        self._runner = runner
        self._numbers = itertools.count()
        self._open: dict[int, AsyncResult[Answer | None]] = {}
        runner.register_message(PREFIX + "answer", self._on_answer)

    def ask(self, node: str, what: str, timeout_s: float, **more: Any) -> Answer | None:
        """What the process behind `node` answers; None if it does not within the time."""
        number = next(self._numbers)
        result = self._open[number] = AsyncResult()
        try:
            self._runner.send_message(PREFIX + "ask", {"number": number, "what": what, **more}, node)
            result.wait(timeout_s)
        finally:
            del self._open[number]
        return result.value

    def _on_answer(self, environment: Environment, msg: Message, **_: Any) -> None:
        at_ns = time.monotonic_ns()
        result = self._open.get(msg.data["number"])
        if result is not None:
            result.set(Answer(msg.data, at_ns))
