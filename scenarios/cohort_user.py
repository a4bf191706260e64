"""The Locust user behind every scenario: it owns a cohort for as long as Locust lets it live."""

from typing import ClassVar

from gevent.event import Event
from locust import User, events, task
from locust.argument_parser import LocustArgumentParser

from scenarios.breaking import BreakOptions
from scenarios.cohort import Cohort
from scenarios.measured import offer
from scenarios.options import SwarmOptions
from scenarios.parts import player_of, take_part
from scenarios.words import WRONG_USE

_ONLINE_TIMEOUT_S = 3600.0


class CohortUser(User):
    """`chats`: whether its devices write to each other."""

    abstract = True
    chats: ClassVar[bool] = False

    def on_start(self) -> None:
        """Claim a cohort, bring its devices online, and let them begin."""
        self._cohort: Cohort | None = None
        player = player_of(self.environment)
        if player is None or player.swarm is None:
            return  # the run is broken, and whoever broke it has said why
        swarm = player.swarm
        cohort = swarm.add(player.claim(), chats=self.chats)
        try:
            cohort.start()
        except WRONG_USE as error:
            cohort.abandon()
            player.report_broken(str(error))
            return
        self._cohort = cohort
        cohort.await_online(_ONLINE_TIMEOUT_S)
        if not swarm.stage.options.on_command:
            swarm.begin(cohort)

    @task
    def live(self) -> None:
        """Everything happens in the hub: this greenlet only waits to be stopped."""
        Event().wait()

    def on_stop(self) -> None:
        """Settle, unless the end of the run has done it, and leave."""
        player = player_of(self.environment)
        if self._cohort is not None and player is not None and player.swarm is not None:
            self._cohort.settle(player.swarm.stage.options.settle_timeout)
            player.swarm.remove(self._cohort)


def _add_options(parser: LocustArgumentParser) -> None:
    SwarmOptions.add_to(parser)
    BreakOptions.add_to(parser)
    parser.set_defaults(class_picker=True)


events.init_command_line_parser.add_listener(_add_options)
events.init.add_listener(take_part)
events.init.add_listener(offer)
