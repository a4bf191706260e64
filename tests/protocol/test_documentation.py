"""docs/protocol.md describes what protocol/ does: the same types, directions, fields and defaults."""

import json
import re
from pathlib import Path

import pytest
from msgspec import NODEFAULT, inspect

from protocol.errors import ErrorCode
from protocol.messages import BY_TYPE, FROM_CLIENT, Message

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
ROWS = {
    int(number, 16): (name, sender, fields)
    for number, name, sender, fields in re.findall(
        r"^\| (0x\w\w) \| (\w+) \| ([cs]) \| (.*) \|$", PAGE, re.MULTILINE
    )
}


def default_of(field: inspect.Field) -> str:
    """As the page writes it: empty for a field that has to be there."""
    if field.default_factory is not NODEFAULT:
        return json.dumps(field.default_factory())
    return "" if field.default is NODEFAULT else json.dumps(field.default).replace("null", "nil")


def test_the_page_names_every_message_and_no_other() -> None:
    assert ROWS.keys() == BY_TYPE.keys()


@pytest.mark.parametrize("kind", BY_TYPE.values())
def test_the_page_tells_name_sender_and_fields_in_order(kind: type[Message]) -> None:
    name, sender, fields = ROWS[kind.TYPE]
    assert name.replace("_", "").lower() == kind.__name__.lower()
    assert sender == ("c" if kind.TYPE in FROM_CLIENT else "s")
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    written = re.findall(r"(?:^|· )(\w+): ([^·;]*[^·; ])", fields)
    assert [field for field, _ in written] == [field.name for field in info.fields]
    for field, (_, text) in zip(info.fields, written, strict=True):
        _, _, default = text.partition(" = ")
        assert default == default_of(field)


def test_the_page_explains_every_error_code() -> None:
    assert [int(code) for code in re.findall(r"^\| (\d{3}) \|", PAGE, re.MULTILINE)] == list(ErrorCode)
