"""Teaches hypothesis to make up messages: `st.from_type(Message)` is any legal message from then on."""

from typing import Any

from hypothesis import strategies as st
from msgspec import inspect

from protocol import messages
from protocol.messages import Entry, Message


def values_of(kind: inspect.Type) -> st.SearchStrategy[Any]:
    """Every value that the annotations of protocol.messages allow."""
    match kind:
        case inspect.NoneType():
            return st.none()
        case inspect.BoolType():
            return st.booleans()
        case inspect.IntType():
            return st.integers(kind.ge, kind.le)
        case inspect.StrType():
            return st.text(min_size=kind.min_length or 0, max_size=kind.max_length)
        case inspect.BytesType():
            return st.binary()
        case inspect.ListType():
            return st.lists(
                values_of(kind.item_type),
                min_size=kind.min_length or 0,
                max_size=min(kind.max_length or 9, 9),
            )
        case inspect.UnionType():
            return st.one_of([values_of(each) for each in kind.types])
        case inspect.StructType():
            return st.builds(kind.cls, **{field.name: values_of(field.type) for field in kind.fields})
    raise AssertionError(f"no strategy for {kind}")


_KINDS: tuple[type[Message], ...] = (*messages.BY_TYPE.values(), Entry)
for _kind in _KINDS:
    st.register_type_strategy(_kind, values_of(inspect.type_info(_kind)))
st.register_type_strategy(Message, st.one_of([st.from_type(kind) for kind in messages.BY_TYPE.values()]))
