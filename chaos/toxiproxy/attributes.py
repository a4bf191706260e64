"""From the attributes that a client sent to a toxic's own dataclass."""

import dataclasses
from typing import Any

from chaos.toxics import ToxicType
from chaos.toxiproxy import gojson


def merged(type_: ToxicType, old: Any, value: Any) -> Any:
    """`old` with the attributes of `value` in place of its own, key by key. Raises gojson.BodyError."""
    prefix = f"{type_.go_struct}.attributes"
    if value is not None and not isinstance(value, dict):
        raise gojson.mismatch(value, prefix, f"toxics.{type_.go_struct}")
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(type_.attributes):
        given = (value or {}).get(field.name)
        if given is None:
            continue
        place = f"{prefix}.{field.name}"
        current = getattr(old, field.name)
        if isinstance(current, str):
            changes[field.name] = gojson.as_string(given, place)
        elif isinstance(current, float):
            changes[field.name] = gojson.as_float(given, place)
        else:
            changes[field.name] = gojson.as_int(given, place, type_.go_int)
    new = dataclasses.replace(old, **changes)
    check = getattr(new, "check", None)
    if check is not None:
        try:
            check()
        except ValueError as error:
            raise gojson.BodyError(f"{type_.name}: {error}") from None
    return new
