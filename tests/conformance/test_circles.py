"""Accounts of servers that keep no lists of friends."""

from pathlib import Path

import pytest

from conformance.accounts import AccountsError
from conformance.circles import load_any, made_up


def test_every_five_accounts_are_a_circle_with_a_group(tmp_path: Path) -> None:
    path = tmp_path / "accounts.csv"
    path.write_text("user,token\n" + "".join(f"u{number},s{number}\n" for number in range(12)))
    first, second = load_any(path)
    assert (second.group, list(second.friends)) == ("g:u5", ["u5", "u6", "u7", "u8", "u9"])
    assert [user.token for user in first.members()] == ["s0", "s1", "s2", "s3", "s4"]


@pytest.mark.parametrize("text", ["user,token\nu0,s0\n", "", "{", "a,b,c\n"])
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "accounts.csv"
    path.write_text(text)
    with pytest.raises(AccountsError, match=re_escape(path)):
        load_any(path)
    with pytest.raises(AccountsError, match="none"):
        load_any(tmp_path / "none")


def re_escape(path: Path) -> str:
    return str(path).replace(".", r"\.")


def test_names_that_are_made_up_are_everywhere_allowed_and_never_the_same() -> None:
    users = [user.user for block in made_up(3) + made_up(3) for user in block.users]
    assert len(set(users)) == 30
    assert all(user.isalnum() and user[0].isalpha() and len(user) < 20 for user in users)
