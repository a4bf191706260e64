"""Swarm processes: forked from this one after everything is imported, so that their pages stay shared."""

import contextlib
import gc
import importlib
import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import Any

import gevent
import locust
import locust.runners
from locust import argument_parser
from locust.env import Environment

from chatproof.sampler import Sampler
from ledger.clocks import samples_of
from ledger.errors import LedgerError
from ledger.run_folder import RunFolder
from refserver.lifeline import end_with
from scenarios.cohort_user import CohortUser
from scenarios.outpost import Post
from scenarios.swarm import warm_up

log = logging.getLogger(__name__)

_REPORT_INTERVAL_S = 1.0
_REPORTS_A_SECOND = 20
"""Of all workers together, at most: a report costs more than dozens of heartbeats."""
_PATIENCE_BEATS = 60
_LOOK_S = 0.1
_NICENESS = 10
"""Where swarm processes are more than cores, one of them more or less does not matter to the others; the
master, and a server's process that everybody waits for, come first."""


def scenario_class(name: str) -> type[CohortUser]:
    """The Locust user of a scenario: the one that the module of that name defines."""
    module = importlib.import_module(f"scenarios.{name}")
    return next(
        kind
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, CohortUser) and not kind.abstract
    )


def new_environment(scenario: str, shape: Any = None) -> Environment:
    """A Locust environment as its command line would make it, with the scenario's options."""
    # Locust reports every three seconds; people who watch a run want to see each one.
    locust.runners.WORKER_REPORT_INTERVAL = _REPORT_INTERVAL_S
    # A worker that is busy for three seconds is not gone: its users must not be started elsewhere as well.
    locust.runners.HEARTBEAT_LIVENESS = _PATIENCE_BEATS
    scenario_class(scenario)
    options = argument_parser.get_parser().parse_args([])
    options.headless = True
    return Environment(
        user_classes=[scenario_class(scenario)],
        shape_class=shape,
        events=locust.events,
        parsed_options=options,
        catch_exceptions=False,
    )


def fork_workers(
    count: int, scenario: str, master_port: int, *, host: str = "127.0.0.1", posts: Sequence[Post] = ()
) -> list[int]:
    """Process ids of `count` workers that connect to the master on `master_port`, as soon as it is there.
    `posts`: of each, if the master is on another machine.

    To be called before anything else uses gevent in this process. Workers end when the master says so, or
    when this process dies.
    """
    parent = os.getpid()
    niceness = _NICENESS if count > (os.cpu_count() or 1) else 0
    environment = new_environment(scenario)
    locust.runners.WORKER_REPORT_INTERVAL = max(_REPORT_INTERVAL_S, count / _REPORTS_A_SECOND)
    warm_up()
    argument_parser.default_args_dict()
    # A collection writes to whatever it looks at, and what is written to is no longer shared: 57 MB a
    # process without this, 14 with it.
    gc.collect()
    gc.freeze()
    pids = []
    for number in range(count):
        pid = gevent.fork()
        if pid == 0:
            os.nice(niceness)
            _work(environment, (host, master_port), parent, posts[number] if posts else None)
        pids.append(pid)
    return pids


def _work(environment: Environment, master: tuple[str, int], parent: int, post: Post | None) -> None:
    code = 1
    try:
        # Ctrl-C goes to the whole terminal: the master decides what it means.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, _end_now)
        if not end_with(parent):
            return
        runner = environment.create_worker_runner(*master)
        environment.events.init.fire(environment=environment, runner=runner, web_ui=None, post=post)
        if post is not None and post.samples:
            _sample(post)
        runner.greenlet.join()
        code = 0
    except BaseException:  # noqa: BLE001  a forked child must never run on into its parent's code
        traceback.print_exc()
    finally:
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _sample(post: Post) -> None:
    """What this machine does is noted until the process ends."""

    def failed(error: LedgerError) -> None:
        log.error(str(error))

    Sampler(RunFolder(post.folder).processes, dict, failed, samples_of(post.machine))


def _end_now(number: int, frame: FrameType | None) -> None:
    os._exit(128 + number)


def await_workers(pids: list[int], timeout_s: float) -> None:
    """All workers have ended; those that have not within the time are killed."""
    until = time.monotonic() + timeout_s
    left = list(pids)
    while left:
        left = [pid for pid in left if not _has_ended(pid)]
        if left and time.monotonic() > until:
            kill_workers(left)
            for pid in left:
                # Whoever waits for any child may have heard of its end before.
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, 0)
            return
        if left:
            gevent.sleep(0.05)


def kill_workers(pids: Sequence[int]) -> None:
    """All of them end now, also who stands still; `await_workers` is still owed to them."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def await_ends(pids: list[int]) -> int:
    """All workers have ended, however long that takes; how many did not end with exit code 0."""
    left, failed = list(pids), 0
    while left:
        for pid in list(left):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                left.remove(pid)
                failed += status != 0
        gevent.sleep(_LOOK_S)
    return failed


def _has_ended(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True
