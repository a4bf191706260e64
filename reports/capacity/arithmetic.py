"""Expressions as `ceil(users / heartbeat_s)`: one text that is computed here, in the page, and shown."""

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping

_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_FUNCTIONS: dict[str, Callable[..., float]] = {"ceil": math.ceil, "max": max, "min": min}
_NAME = re.compile(r"[a-z_][a-z0-9_]*")

Values = Mapping[str, float | None]


def compute(expression: str, values: Values) -> float | None:
    """The value of sums, products and calls of ceil, max and min over names. None if a value that it needs is
    None, or it divides by nothing. Raises ValueError for anything else in the expression."""
    try:
        return _value(ast.parse(expression, mode="eval").body, values)
    except (_Unknown, ZeroDivisionError):
        return None


def names(expression: str) -> list[str]:
    """The names in it, in order, without those of functions."""
    return [name for name in _NAME.findall(expression) if name not in _FUNCTIONS]


def spelled(expression: str, say: Callable[[str], str]) -> str:
    """The expression as people write it, with what `say` gives for each name."""
    signs = expression.replace(" * ", " × ").replace(" / ", " ÷ ").replace(" - ", " − ")
    signs = signs.replace("ceil(", "round up (")
    return _NAME.sub(lambda found: found[0] if found[0] in _KEPT else say(found[0]), signs)


_KEPT = {*_FUNCTIONS, "round", "up"}


class _Unknown(Exception):
    """A value that nobody knows."""


def _value(node: ast.expr, values: Values) -> float:
    if isinstance(node, ast.Name):
        known = values[node.id]
        if known is None:
            raise _Unknown
        return known
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_value(node.left, values), _value(node.right, values))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS:
        return _FUNCTIONS[node.func.id](*(_value(argument, values) for argument in node.args))
    raise ValueError(f"{ast.unparse(node)} is no arithmetic of this model")
