"""The worker's side of a run, or a local runner's: one swarm, and answers to what the master says."""

import itertools
import os
from dataclasses import replace
from typing import Any

from gevent.event import AsyncResult
from locust.env import Environment
from locust.rpc import Message

from ledger.errors import LedgerError
from scenarios.outpost import Post
from scenarios.swarm import Swarm
from scenarios.words import PREFIX, WRONG_USE, access_points_of, options_of, runner_of


class Player:
    """`swarm` exists from the start of a run to its end. `post`: where it is, if not beside the master."""

    def __init__(self, environment: Environment, post: Post | None = None) -> None:
        self._environment = environment
        self._post = post
        self._claims: dict[int, AsyncResult[int]] = {}
        self._claim_numbers = itertools.count()
        self.swarm: Swarm | None = None
        runner = runner_of(environment)
        runner.register_message(PREFIX + "number", self._on_number)
        runner.register_message(PREFIX + "begin", self._on_begin)
        runner.register_message(PREFIX + "cut", self._on_cut)
        runner.register_message(PREFIX + "move", self._on_move)
        runner.register_message(PREFIX + "resolve", self._on_resolve)
        runner.register_message(PREFIX + "settle", self._on_settle, concurrent=True)
        runner.register_message(PREFIX + "abandon", self._on_abandon)
        runner.register_message(PREFIX + "close", self._on_close, concurrent=True)
        environment.events.test_start.add_listener(self._on_test_start)
        environment.events.report_to_master.add_listener(self._on_report)

    def claim(self) -> int:
        """The number of the next cohort; no two users of a run get the same. Blocks for a round trip."""
        claim = next(self._claim_numbers)
        answer: AsyncResult[int] = AsyncResult()
        self._claims[claim] = answer
        runner_of(self._environment).send_message(PREFIX + "claim", {"claim": claim})
        number = answer.get(timeout=30)
        assert number is not None
        return number

    def report_broken(self, why: str) -> None:
        """The run cannot go on; the master ends it."""
        runner_of(self._environment).send_message(PREFIX + "broken", {"why": why})

    def _on_number(self, environment: Environment, msg: Message, **_: Any) -> None:
        self._claims.pop(msg.data["claim"]).set(msg.data["number"])

    def _on_test_start(self, environment: Environment, **_: Any) -> None:
        post, options = self._post, options_of(environment)
        name = f"swarm-{os.getpid()}" if post is None else post.process
        sources = () if post is None else post.sources
        if post is not None:
            options = post.at_home(options)
        host, *endpoints = access_points_of(environment)
        options = replace(options, endpoints=" ".join(endpoints))
        try:
            self.swarm = Swarm(host, options, name, environment.stats, sources)
        except WRONG_USE as error:
            self.report_broken(str(error))

    def _on_begin(self, environment: Environment, msg: Message, **_: Any) -> None:
        if self.swarm is not None:
            for cohort in self.swarm.cohorts.values():
                self.swarm.begin(cohort)

    def _on_cut(self, environment: Environment, msg: Message, **_: Any) -> None:
        if self.swarm is not None:
            self.swarm.cut(msg.data["share"])

    def _on_move(self, environment: Environment, msg: Message, **_: Any) -> None:
        if self.swarm is not None:
            self.swarm.move()

    def _on_resolve(self, environment: Environment, msg: Message, **_: Any) -> None:
        if self.swarm is not None:
            self.swarm.resolve(msg.data["kind"])

    def _on_settle(self, environment: Environment, msg: Message, **_: Any) -> None:
        if self.swarm is not None:
            self.swarm.settle()
        runner_of(environment).send_message(PREFIX + "settled", {})

    def _on_abandon(self, environment: Environment, msg: Message, **_: Any) -> None:
        if self.swarm is not None:
            self.swarm.abandon()

    def _on_close(self, environment: Environment, msg: Message, **_: Any) -> None:
        swarm, self.swarm = self.swarm, None
        why = last = None
        if swarm is not None:
            try:
                swarm.close()
            except LedgerError as error:
                why = str(error)
            last = swarm.snapshot()
        runner_of(environment).send_message(PREFIX + "closed", {"why": why, "snapshot": last})

    def _on_report(self, client_id: str, data: dict[str, Any], **_: Any) -> None:
        if self.swarm is not None:
            data["chatproof"] = self.swarm.snapshot()
