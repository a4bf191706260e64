"""A server fails no case for what it is said to lack: each case, or its clause, says what it needs."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from conformance import cases, catalogue
from conformance.target import TAKEN_FOR_GRANTED

FILES = sorted(Path(cases.__file__).parent.glob("test_*.py"))
CAPABILITY = {
    "contacts": "contacts",
    "history": "history",
    "read": "unread",
    "unread": "unread",
    "package": "packages",
    "say_package": "packages",
    "try_package": "packages",
    "send_package": "packages",
    "send_package_and_await": "packages",
}
"""By what a case calls: methods of Phone, Web and Device, and functions of `conformance.packages`."""

Named = ast.FunctionDef | ast.ClassDef


def called(node: ast.AST) -> Iterator[str]:
    for call in ast.walk(node):
        if isinstance(call, ast.Call):
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            # Of a file, or of TLS, one reads without saying what.
            if name in CAPABILITY and (name != "read" or len(call.args) == 2):
                yield CAPABILITY[name]


def reached(start: ast.FunctionDef, of_file: Mapping[str, Named]) -> Iterator[Named]:
    """The function, and what it names of its file: functions, classes, and fixtures among its parameters."""
    waiting: list[Named] = [start]
    seen = {start.name}
    while waiting:
        node = waiting.pop()
        yield node
        names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
        names |= {each.arg for each in ast.walk(node) if isinstance(each, ast.arg)}
        waiting += [of_file[name] for name in sorted((names & of_file.keys()) - seen)]
        seen |= names


def marked(nodes: list[ast.expr], mark: str) -> set[str]:
    """The words of `pytest.mark.MARK(...)` among expressions."""
    return {
        str(argument.value)
        for node in nodes
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == mark
        for argument in call.args
        if isinstance(argument, ast.Constant)
    }


def undeclared(tree: ast.Module) -> dict[str, set[str]]:
    """By case, what it asks for and neither it nor one of its clauses says it needs."""
    of_all = [node.value for node in tree.body if isinstance(node, ast.Assign)]
    of_file = {node.name: node for node in tree.body if isinstance(node, Named)}
    found = {}
    for name, function in of_file.items():
        if isinstance(function, ast.FunctionDef) and name.startswith("test_"):
            marks = [*of_all, *function.decorator_list]
            clauses = marked(marks, "clause")
            said = marked(marks, "needs") | {
                need for clause in clauses for need in catalogue.load()[clause].needs
            }
            asked = {need for node in reached(function, of_file) for need in called(node)}
            if asked - said:
                found[name] = asked - said
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_case_says_what_it_needs_beyond_its_clause(path: Path) -> None:
    assert undeclared(ast.parse(path.read_text())) == {}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_a_case_needs_is_a_capability_of_the_catalogue_or_taken_for_granted(path: Path) -> None:
    known = {need for clause in catalogue.load().values() for need in clause.needs} | TAKEN_FOR_GRANTED
    assert marked(list(_expressions(path)), "needs") <= known


def _expressions(path: Path) -> Iterator[ast.expr]:
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.expr))


SOME = """
@pytest.fixture
def witness(phone):
    return say_package(phone, "to", [b"x"])

def look(phone):
    return phone.history("a:b")

@pytest.mark.clause("DLV.1")
@pytest.mark.needs("packages")
def test_through_others(witness):
    look(witness)

@pytest.mark.clause("STO.2")
def test_by_its_clause(phone):
    look(phone)
"""


def test_what_is_asked_through_others_is_seen() -> None:
    assert undeclared(ast.parse(SOME)) == {"test_through_others": {"history"}}
