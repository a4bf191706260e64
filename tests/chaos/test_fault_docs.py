"""The lists in docs/faults.md are those of the code."""

import re
from pathlib import Path

import pytest

from chaos.fault import fault_kinds
from chaos.fault_plan import library, load_fault_plan

PAGE = (Path(__file__).parent.parent.parent / "docs" / "faults.md").read_text()


def between(name: str) -> list[str]:
    found = re.search(rf"<!-- {name}: .*? -->\n(.*?)\n<!-- end of {name} -->", PAGE, re.S)
    assert found is not None
    return found[1].splitlines()


def library_rows() -> list[str]:
    plans = map(load_fault_plan, library())
    rows = [f"| `{plan.name}` | {plan.about} | {plan.needs} |" for plan in plans]
    return ["| name | what | needs |", "|---|---|---|", *rows]


def wild_lines() -> list[str]:
    return [
        f"- {', '.join(f'`{form}`' for form in kind.wild)}" for kind in fault_kinds().values() if kind.wild
    ]


@pytest.mark.parametrize(("name", "expected"), [("library", library_rows()), ("wild", wild_lines())])
def test_the_page_lists_what_there_is(name: str, expected: list[str]) -> None:
    assert between(name) == expected
