"""Who plays which part in this process; Locust's init listener hands them out."""

from functools import cache
from typing import Any

from locust import argument_parser, runners
from locust.env import Environment
from locust.runners import LocalRunner, MasterRunner, WorkerRunner

from scenarios.conductor import Conductor
from scenarios.outpost import Outpost, Post
from scenarios.player import Player
from scenarios.web.page import Page

# A worker looks the defaults up once for every option of every spawn message, and Locust builds its whole
# parser anew each time: more than a second of CPU, for each worker and each second of a ramp.
argument_parser.default_args_dict = cache(argument_parser.default_args_dict)

# Locust's workers report every three seconds; people who watch a run want to see each one.
runners.WORKER_REPORT_INTERVAL = 1.0

_players: dict[Environment, Player] = {}
_conductors: dict[Environment, Conductor] = {}


def take_part(environment: Environment, post: Post | None = None, **_: Any) -> None:
    """A worker plays, a master conducts, a local runner does both. `post`: of a worker on another machine.

    Listeners are called in the order in which they were added: a run has its folder before it has a swarm.
    """
    runner = environment.runner
    if isinstance(runner, LocalRunner | MasterRunner):
        conductor = _conductors[environment] = Conductor(environment)
        if environment.web_ui is not None:
            Page(environment, conductor, environment.web_ui)
    if isinstance(runner, LocalRunner | WorkerRunner):
        player = _players[environment] = Player(environment, post)
        if environment in _conductors:
            _conductors[environment].player = player
    if post is not None:
        Outpost(environment, post)


def player_of(environment: Environment) -> Player | None:
    """The swarm side of this process, None on a master."""
    return _players.get(environment)


def conductor_of(environment: Environment) -> Conductor:
    """The master side of this process. Raises KeyError on a worker."""
    return _conductors[environment]
