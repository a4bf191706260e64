"""What every case owes its readers, and which clauses have to have cases."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance import cases, catalogue

FOLDER = Path(cases.__file__).parent
FILES = sorted(FOLDER.glob("test_*.py"))
_NUMBERS = {
    "ARC": (2, 3),
    "CHN": range(1, 9),
    "DLV": range(1, 9),
    "HBT": range(1, 7),
    "ORD": range(1, 5),
    "ROM": range(1, 6),
    "SEC": (1, 2, 5, 6),
    "STO": range(1, 4),
    "UNR": range(1, 5),
    "WAY": range(1, 4),
}
COVERED = {f"{family}.{number}" for family, numbers in _NUMBERS.items() for number in numbers}


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    return (node for node in tree.body if isinstance(node, ast.FunctionDef))


def marked(nodes: list[ast.expr]) -> set[str]:
    """Clause ids in `pytest.mark.clause(...)` among expressions."""
    return {
        argument.value
        for node in nodes
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "clause"
        for argument in call.args
        if isinstance(argument, ast.Constant)
    }


def clauses_by_case(path: Path) -> dict[str, set[str]]:
    tree = ast.parse(path.read_text())
    of_file = marked([node.value for node in tree.body if isinstance(node, ast.Assign)])
    return {
        function.name: of_file | marked(function.decorator_list)
        for function in functions(tree)
        if function.name.startswith("test_")
    }


def test_every_clause_that_is_promised_to_be_checked_has_a_case() -> None:
    found = {clause for path in FILES for names in clauses_by_case(path).values() for clause in names}
    assert not COVERED - found
    assert not found - catalogue.load().keys()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_case_names_a_clause(path: Path) -> None:
    assert all(clauses_by_case(path).values())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_case_says_what_is_done_and_expected(path: Path) -> None:
    for function in functions(ast.parse(path.read_text())):
        if function.name.startswith("test_"):
            text = ast.get_docstring(function)
            assert text, f"{function.name} has no docstring"
            assert "Expected:" in text, f"{function.name} does not say what is expected"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_assertion_says_what_was_expected(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Assert):
            assert node.msg is not None, f"{path.name}:{node.lineno}: an assertion without a message"
