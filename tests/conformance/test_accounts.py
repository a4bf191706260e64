"""The accounts file: what it must hold before any case may use it."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from conformance import accounts
from conformance.accounts import AccountsError


def block() -> dict[str, Any]:
    names = [f"u{number}" for number in range(10)]
    return {
        "users": [{"user": name, "token": f"token of {name}", "password": None} for name in names],
        "friends": names[:7],
        "strangers": names[7:],
        "group": "g:one",
        "group_members": names[:5],
        "outsiders": names[5:7],
    }


def write(folder: Path, content: object) -> Path:
    path = folder / "accounts.json"
    path.write_bytes(content if isinstance(content, bytes) else msgspec.json.encode(content))
    return path


def test_a_complete_file_gives_its_blocks(tmp_path: Path) -> None:
    loaded = accounts.load(write(tmp_path, {"format": 1, "blocks": [block(), block()]}))
    assert len(loaded) == 2
    assert [user.user for user in loaded[0].pick(2)] == ["u0", "u1"]
    assert loaded[0].account("u9").token == "token of u9"
    assert len(loaded[0].members()) == 5


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"{", "truncated"),
        ({"format": 2, "blocks": [block()]}, "format 2, and only 1 is known"),
        ({"format": 1, "blocks": []}, "no blocks"),
        (
            {"format": 1, "blocks": [block(), {**block(), "friends": ["u1"]}]},
            "block 1: 1 friends, 7 are",
        ),
        ({"format": 1, "blocks": [{**block(), "strangers": ["u7", "u8", "x"]}]}, "strangers names 'x'"),
        (
            {"format": 1, "blocks": [{**block(), "group_members": ["u1", "u2", "u3", "u4", "u5"]}]},
            "first friends",
        ),
        ({"format": 1, "blocks": [{**block(), "group": 5}]}, "Expected `str`, got `int`"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, content: object, complaint: str) -> None:
    with pytest.raises(AccountsError, match=r"accounts\.json") as refused:
        accounts.load(write(tmp_path, content))
    assert complaint in str(refused.value)


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(AccountsError, match=r"No such file.*chatproof accounts testbed"):
        accounts.load(tmp_path / "none.json")
