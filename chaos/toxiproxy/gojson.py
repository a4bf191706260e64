"""JSON as the original reads and writes it: Go's leniency, Go's error texts.

Only the first value of a body counts, keys match in any case, null leaves a field as it is, unknown fields
are ignored.
"""

import json
import math
import re
import struct
from typing import Any

from msgspec import UNSET, Struct, UnsetType

_LITERAL_PREFIX = re.compile(r"(t(r(ue?)?)?|f(a(l(se?)?)?)?|n(u(ll?)?)?|-)?\Z")
_MOST_DIGITS = 300
_CONTEXTS = (
    ("Expecting property name", "looking for beginning of object key string"),
    ("Illegal trailing comma before end of object", "looking for beginning of object key string"),
    ("Expecting ':'", "after object key"),
    ("Expecting ','", "after value"),
    ("Invalid control character", "in string literal"),
    ("Invalid \\", "in string escape code"),
)


class BodyError(ValueError):
    """The text goes behind `bad request body: `."""


def _fold(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {key.lower(): value for key, value in pairs}


def _no_constant(text: str) -> Any:
    raise BodyError(f"invalid character '{text[0]}' looking for beginning of value")


class _Number(float):
    """A number that is no whole one of a sane size, and remembers how it was written: errors quote it."""

    __slots__ = ("_text",)
    _text: str

    def __new__(cls, text: str) -> "_Number":
        made = super().__new__(cls, text)
        made._text = text
        return made

    def __str__(self) -> str:
        return self._text


def _integer(text: str) -> int | _Number:
    return int(text) if len(text) <= _MOST_DIGITS else _Number(text)


_decoder = json.JSONDecoder(
    object_pairs_hook=_fold, parse_constant=_no_constant, parse_float=_Number, parse_int=_integer
)


def read(body: bytes) -> Any:
    """The first value of `body`, keys in lower case. Raises BodyError."""
    text = body.decode("utf-8", "replace").lstrip(" \t\r\n")
    if not text:
        raise BodyError("EOF")
    try:
        return _decoder.raw_decode(text)[0]
    except json.JSONDecodeError as error:
        raise BodyError(_go_text(text, error)) from None
    except RecursionError:
        raise BodyError("exceeded max depth") from None


def _go_text(text: str, error: json.JSONDecodeError) -> str:
    rest = text[error.pos :].lstrip(" \t\r\n")
    if error.msg.startswith("Unterminated string") or _LITERAL_PREFIX.match(rest):
        return "unexpected EOF"
    context = next((go for start, go in _CONTEXTS if error.msg.startswith(start)), None)
    return f"invalid character '{rest[0]}' {context or 'looking for beginning of value'}"


def write(value: Any) -> bytes:
    """Compact, with the characters escaped that Go escapes for HTML's sake."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode()


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, dict):
        return "object"
    return "array" if isinstance(value, list) else "number"


def mismatch(value: Any, field: str, go_type: str) -> BodyError:
    """To be raised where `value` is of another kind than `field`."""
    return BodyError(f"json: cannot unmarshal {_kind(value)} into Go struct field {field} of type {go_type}")


def mismatch_value(value: Any, go_type: str) -> BodyError:
    """To be raised where the whole body is of another kind than `go_type`."""
    return BodyError(f"json: cannot unmarshal {_kind(value)} into Go value of type {go_type}")


def as_object(value: Any, go_type: str) -> dict[str, Any]:
    """`value` as an object; null is an empty one. Raises BodyError."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise mismatch_value(value, go_type)
    return value


def as_string(value: Any, field: str) -> str:
    """`field` is how the error text names the place, such as Proxy.name. Raises BodyError."""
    if not isinstance(value, str):
        raise mismatch(value, field, "string")
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def as_bool(value: Any, field: str) -> bool:
    """Raises BodyError."""
    if not isinstance(value, bool):
        raise mismatch(value, field, "bool")
    return value


def as_int(value: Any, field: str, go_type: str) -> int:
    """A whole number of 64 bits. Raises BodyError."""
    if _kind(value) == "number" and (not isinstance(value, int) or not -(2**63) <= value < 2**63):
        raise _unfit(value, field, go_type)
    if _kind(value) != "number":
        raise mismatch(value, field, go_type)
    return int(value)


def _unfit(value: Any, field: str, go_type: str) -> BodyError:
    return BodyError(
        f"json: cannot unmarshal number {value!s} into Go struct field {field} of type {go_type}"
    )


def as_float(value: Any, field: str, go_type: str = "float64") -> float:
    """Raises BodyError."""
    if _kind(value) != "number":
        raise mismatch(value, field, go_type)
    number = float(value)
    if math.isinf(number):
        raise _unfit(value, field, go_type)
    return number


def as_float32(value: Any, field: str) -> float:
    """A number of 32 bits as the shortest decimal that means it, an int if it is whole. Raises BodyError."""
    number = as_float(value, field, "float32")
    try:
        narrow = struct.pack("f", number)
    except OverflowError:
        raise _unfit(value, field, "float32") from None
    for digits in range(1, 10):
        shortest = float(f"{number:.{digits}g}")
        if struct.pack("f", shortest) == narrow:
            break
    return int(shortest) if shortest.is_integer() else shortest


class ProxyInput(Struct, frozen=True):
    """What a client says of a proxy; UNSET where it says nothing."""

    name: str = ""
    listen: str | UnsetType = UNSET
    upstream: str | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


def proxy_input(value: Any) -> ProxyInput:
    """Raises BodyError."""
    fields: dict[str, Any] = {}
    for key, each in as_object(value, "toxiproxy.Proxy").items():
        if each is None:
            continue
        if key in ("name", "listen", "upstream"):
            fields[key] = as_string(each, f"Proxy.{key}")
        elif key == "enabled":
            fields[key] = as_bool(each, f"Proxy.{key}")
    return ProxyInput(**fields)


class ToxicInput(Struct, frozen=True):
    """What a client says of a toxic; the attributes are read once the type is known."""

    name: str = ""
    type: str = ""
    stream: str = "downstream"
    toxicity: float | UnsetType = UNSET
    attributes: Any = None
    clients: str = ""
    duration: int | UnsetType = UNSET


def toxic_input(value: Any) -> ToxicInput:
    """Raises BodyError."""
    fields: dict[str, Any] = {}
    for key, each in as_object(value, "toxics.ToxicWrapper").items():
        if each is None:
            continue
        if key in ("name", "type", "stream", "clients"):
            fields[key] = as_string(each, f"ToxicWrapper.{key}")
        elif key == "duration":
            fields[key] = as_int(each, f"ToxicWrapper.{key}", "int64")
        elif key == "toxicity":
            fields[key] = as_float32(each, f"ToxicWrapper.{key}")
        elif key == "attributes":
            fields[key] = each
    return ToxicInput(**fields)
