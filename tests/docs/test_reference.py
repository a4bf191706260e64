"""The reference pages have everything that registers itself."""

import importlib.util
from dataclasses import fields
from importlib.resources import files
from pathlib import Path
from types import ModuleType

import click
import msgspec
import pytest

from chaos.fault import fault_kinds
from chatproof import cli
from chatproof import plan as plans
from conformance.catalogue import load
from ledger.checks import all_checks
from ledger.summary import empty_summary
from ledger.thresholds import paths
from scenarios.options import SwarmOptions

DOCS = Path(__file__).parent.parent.parent / "docs"


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference", DOCS / "site" / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(reference: ModuleType) -> dict[str, str]:
    found: dict[str, str] = reference.pages()
    return found


def test_every_command_and_option_is_there(pages: dict[str, str]) -> None:
    page = pages["reference/commands.md"]
    cli.register()

    def check(command: click.Command, path: str) -> None:
        assert f"## {path}\n" in page or path == "chatproof"
        for parameter in command.params:
            for option in (
                parameter.opts if isinstance(parameter, click.Option) and not parameter.hidden else ()
            ):
                assert f"`{option}`" in page, (path, option)
        for name, inner in getattr(command, "commands", {}).items():
            check(inner, f"{path} {name}")

    check(cli.chatproof, "chatproof")
    assert len(cli.chatproof.commands) > 10


def test_every_key_of_a_plan_is_there(reference: ModuleType, pages: dict[str, str]) -> None:
    page = pages["reference/plan.md"]
    names = [
        field.name
        for kind in (plans.Plan, plans.Target, plans.NetworkPlan)
        for field in msgspec.structs.fields(kind)
    ]
    names += [option.name for option in fields(SwarmOptions)]
    assert reference.missing(page, names) == []
    for name in plans.shipped():
        assert files("chatproof.plans").joinpath(f"{name}.toml").read_text().strip() in page


def test_every_fault_is_there_as_it_is_written(reference: ModuleType, pages: dict[str, str]) -> None:
    page = pages["reference/faults.md"]
    assert reference.missing(page, fault_kinds()) == []
    assert all(f"--fault '{kind.example}'" in page for kind in fault_kinds().values())


def test_every_check_and_figure_is_there(reference: ModuleType, pages: dict[str, str]) -> None:
    page = pages["reference/summary.md"]
    assert reference.missing(page, [path for path, _ in paths(empty_summary())]) == []
    assert reference.missing(page, [f"Check: {name}" for name in all_checks()]) == []


def test_every_metric_is_there(reference: ModuleType, pages: dict[str, str]) -> None:
    from metrics.metric import described

    names = [metric.name for metric in described() if metric.name.startswith("chatproof_")]
    assert len(names) > 25
    assert reference.missing(pages["reference/metrics.md"], names) == []


def test_every_clause_is_there(pages: dict[str, str]) -> None:
    page = pages["reference/clauses.md"]
    assert all(f'id="{clause}"' in page for clause in load())


def test_every_dialect_and_carrier_is_there(reference: ModuleType, pages: dict[str, str]) -> None:
    assert (
        reference.missing(pages["reference/targets.md"], ["chat", "mqtt", "tcp", "tls", "ws", "longpoll"])
        == []
    )


def test_what_is_not_there_is_said(reference: ModuleType) -> None:
    assert reference.missing("## known\n`told`", ["known", "told", "unknown"]) == ["unknown"]
