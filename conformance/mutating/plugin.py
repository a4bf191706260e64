"""The pytest side, beside `conformance.plugin`: `--mutant NAME` is tested instead of the sound server."""

from collections.abc import Generator

import pytest

from conformance.mutating.mutant import UnknownMutant
from conformance.mutating.server import start_instead
from conformance.verdicts import Verdict

_blamed_key = pytest.StashKey[set[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mutants", "servers broken on purpose")
    group.addoption("--mutant", metavar="NAME", help="test this one")
    group.addoption("--until-blamed", action="store_true", help="end when each --clause ID has failed")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_blamed_key] = set()
    if config.option.mutant is not None:
        try:
            start_instead(config.option.mutant)
        except UnknownMutant as error:
            raise pytest.UsageError(str(error)) from error


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if getattr(report, "verdict", None) is Verdict.FAIL:
        blamed = item.config.stash[_blamed_key]
        blamed.update(str(name) for mark in item.iter_markers("clause") for name in mark.args)
        if item.config.option.until_blamed and blamed.issuperset(item.config.option.clause):
            item.session.shouldstop = "every clause that was asked for has failed"
    return report
