"""What all rooms' tests share: programs they need, and the promise that nothing is left out unnoticed."""

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, settings

from reactor import sockets

REQUIRE_ALL = os.environ.get("CHATPROOF_REQUIRE_ALL") == "1"
"""A skipped test counts as failed: for the gate, which must have everything that tests need."""

# A slow machine is no failure: time is measured in bench/, never in a test.
# The gate tries the same examples each time: it says the same of the same tree. Elsewhere they are new.
settings.register_profile(
    "chatproof", deadline=None, derandomize=REQUIRE_ALL, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("chatproof")


@pytest.fixture
def requires() -> Callable[[str], str]:
    """`requires(program)`: its path; without it the test is skipped, naming what is missing."""

    def find(program: str) -> str:
        path = shutil.which(program)
        if path is None:
            pytest.skip(f"needs the program {program}, which is not on PATH")
        return path

    return find


@pytest.fixture
def reserved_port() -> Iterator[Callable[[], int]]:
    """`reserved_port()`: a port of 127.0.0.1 at which nobody listens and that nobody else is given while the
    test runs; whoever is told it can listen there."""
    with ExitStack() as stack:
        yield lambda: int(stack.enter_context(sockets.reserve("127.0.0.1")).getsockname()[1])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _refuse_skip(report)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} was left out, and CHATPROOF_REQUIRE_ALL=1 allows none: {reason}"
