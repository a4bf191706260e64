"""Accounts, relations and the files made from them, as the command line uses them."""

import csv
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from refserver import accounts
from refserver.accounts import AccountsError, passwords
from refserver.storage import Storage, schema, sqlite
from refserver.tokens import TokenRefused, TokenSigner, load_or_create_secret


def rows(data_dir: Path, table: Any) -> list[Any]:
    with sqlite.engine(sqlite.path_in(data_dir)).connect() as connection:
        return [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]


def users_in(data_dir: Path) -> list[str]:
    return [row[0] for row in rows(data_dir, schema.accounts)]


def test_accounts_are_added_by_name(tmp_path: Path) -> None:
    accounts.add(tmp_path / "new", ["bob", "alice"])
    accounts.add(tmp_path / "new", ["carol"])
    assert users_in(tmp_path / "new") == ["alice", "bob", "carol"]


@pytest.mark.parametrize("user", ["", "g", "a b", "a:b", "a\n", "x" * 65, "ü" * 33])
def test_a_wrong_user_id_is_one_line_and_adds_nobody(tmp_path: Path, user: str) -> None:
    with pytest.raises(AccountsError) as caught:
        accounts.add(tmp_path, ["alice", user])
    assert "\n" not in str(caught.value)
    assert not sqlite.path_in(tmp_path).exists()


def test_an_existing_or_repeated_user_adds_nobody(tmp_path: Path) -> None:
    accounts.add(tmp_path, ["alice"])
    with pytest.raises(AccountsError, match="'alice' exists already"):
        accounts.add(tmp_path, ["bob", "alice"])
    with pytest.raises(AccountsError, match="'bob' is named twice"):
        accounts.add(tmp_path, ["bob", "carol", "bob"])
    assert users_in(tmp_path) == ["alice"]


def test_a_directory_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AccountsError, match="file"):
        accounts.add(tmp_path / "file", ["alice"])
    (tmp_path / "chatproof.db").write_text("this is no database, and long enough to be seen as none" * 99)
    with pytest.raises(AccountsError, match="not a database"):
        accounts.add(tmp_path, ["alice"])


def test_accounts_are_imported_with_and_without_passwords_and_header(tmp_path: Path) -> None:
    (tmp_path / "plain.csv").write_text('alice,secret\nbob\n\n"c,d",\n')
    (tmp_path / "header.csv").write_text("\ufeffuser,password\ndave,x\n")
    assert accounts.import_rows(tmp_path, tmp_path / "plain.csv") == 3
    assert accounts.import_rows(tmp_path, tmp_path / "header.csv") == 1
    assert users_in(tmp_path) == ["alice", "bob", "c,d", "dave"]
    storage = Storage.open(tmp_path)
    assert accounts.check_password(storage.engine, "alice", "secret")
    assert not accounts.check_password(storage.engine, "bob", "")
    storage.close()


@pytest.mark.parametrize(("content", "says"), [(b"a,b,c\n", ":1: 3 columns"), (b"\xff\n", "UTF-8")])
def test_a_wrong_file_is_one_line(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "wrong.csv").write_bytes(content)
    with pytest.raises(AccountsError, match=says):
        accounts.import_rows(tmp_path, tmp_path / "wrong.csv")
    with pytest.raises(AccountsError, match="No such file"):
        accounts.import_rows(tmp_path, tmp_path / "none.csv")


def test_generated_accounts_exist_however_often_they_are_asked_for(tmp_path: Path) -> None:
    assert accounts.generate(tmp_path, 3, "x") == ["x0", "x1", "x2"]
    accounts.generate(tmp_path, 12_000, "x")
    with sqlite.engine(sqlite.path_in(tmp_path)).connect() as connection:
        assert connection.execute(select(func.count()).select_from(schema.accounts)).scalar_one() == 12_000
    with pytest.raises(AccountsError):
        accounts.generate(tmp_path, 1, "a b")


def test_every_account_or_those_named_get_a_valid_token(tmp_path: Path) -> None:
    accounts.add(tmp_path, ["bob", "a,b", "carol"])
    out = tmp_path / "made" / "tokens.csv"
    assert accounts.tokens(tmp_path, None, 60, out) == 3
    with out.open(newline="") as file:
        lines = list(csv.reader(file))
    signer = TokenSigner(load_or_create_secret(tmp_path))
    assert [(user, signer.verify(token)) for user, token in lines] == [
        (u, u) for u in ("a,b", "bob", "carol")
    ]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert accounts.tokens(tmp_path, ["carol"], 60, out) == 1
    with pytest.raises(AccountsError, match="'dave' has no account"):
        accounts.tokens(tmp_path, ["carol", "dave"], 60, out)


def test_friends_are_friends_both_ways(tmp_path: Path) -> None:
    accounts.add(tmp_path, ["a", "b", "c", "d"])
    accounts.befriend(tmp_path, ["a", "b", "c"])
    accounts.befriend(tmp_path, ["b", "a"])
    assert accounts.befriend_pairs(tmp_path, iter([("d", "a")])) == 1
    pairs = {("a", "b"), ("a", "c"), ("b", "c"), ("a", "d")}
    assert set(rows(tmp_path, schema.friendships)) == pairs | {(other, one) for one, other in pairs}


@pytest.mark.parametrize("users", [["a"], ["a", "a"], ["a", "nobody"]])
def test_wrong_friends_are_one_line_and_change_nothing(tmp_path: Path, users: list[str]) -> None:
    accounts.add(tmp_path, ["a", "b"])
    with pytest.raises(AccountsError):
        accounts.befriend(tmp_path, users)
    with pytest.raises(AccountsError, match="its own friend"):
        accounts.befriend_pairs(tmp_path, [("a", "b"), ("a", "a")])
    assert rows(tmp_path, schema.friendships) == []


def test_groups_grow_and_shrink(tmp_path: Path) -> None:
    accounts.add(tmp_path, ["a", "b", "c"])
    assert accounts.group(tmp_path, "team", ["a", "b"]) == "g:team"
    assert accounts.group(tmp_path, "g:team", ["c", "a"]) == "g:team"
    assert accounts.groups_bulk(tmp_path, [("one", ["a"]), ("none", [])]) == 2
    accounts.group(tmp_path, "team", ["b"], remove=True)
    assert rows(tmp_path, schema.group_members) == [("g:one", "a"), ("g:team", "a"), ("g:team", "c")]
    assert rows(tmp_path, schema.groups) == [("g:none",), ("g:one",), ("g:team",)]


def test_wrong_groups_are_one_line(tmp_path: Path) -> None:
    accounts.add(tmp_path, ["a"])
    with pytest.raises(AccountsError, match="'x' has no account"):
        accounts.group(tmp_path, "team", ["a", "x"])
    with pytest.raises(AccountsError, match="does not exist"):
        accounts.group(tmp_path, "team", ["a"], remove=True)
    for name in ("", "g:", "a b", "g:g:a", "x" * 65):
        with pytest.raises(AccountsError, match="group"):
            accounts.group(tmp_path, name, ["a"])
    accounts.group(tmp_path, "team", [])
    with pytest.raises(AccountsError, match="no member"):
        accounts.group(tmp_path, "team", ["a"], remove=True)


def test_passwords_are_salted_argon2id_and_never_stored(tmp_path: Path) -> None:
    accounts.add(tmp_path, ["alice", "bob"], "correct horse")
    hashes = [row[1] for row in rows(tmp_path, schema.accounts)]
    assert all(hashed.startswith("$argon2id$") for hashed in hashes)
    assert hashes[0] != hashes[1]
    assert b"correct horse" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


def test_every_check_costs_one_hash_whoever_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts.add(tmp_path, ["alice"], "right")
    accounts.add(tmp_path, ["tokens-only"])
    verified: list[str] = []
    hasher = passwords._hasher

    class Counting:
        def verify(self, hashed: str, password: str) -> bool:
            verified.append(hashed.rsplit("$", 2)[0])
            return hasher.verify(hashed, password)

    monkeypatch.setattr(passwords, "_hasher", Counting())
    storage = Storage.open(tmp_path)
    asked = [("alice", "right"), ("alice", "wrong"), ("nobody", "right"), ("tokens-only", "right")]
    assert [accounts.check_password(storage.engine, *each) for each in asked] == [True, False, False, False]
    storage.close()
    assert len(verified) == 4
    assert len(set(verified)) == 1, "the same kind and cost"


def test_the_password_that_nobody_has_opens_nothing(tmp_path: Path) -> None:
    accounts.add(tmp_path, ["tokens-only"])
    storage = Storage.open(tmp_path)
    for user in ("nobody", "tokens-only"):
        assert not accounts.check_password(storage.engine, user, "nobody's password: it is never right")
    storage.close()


def test_a_testbed_has_blocks_that_know_nothing_of_each_other(tmp_path: Path) -> None:
    out = tmp_path / "testbed.json"
    accounts.testbed(tmp_path, 4, out, 60)
    bed = json.loads(out.read_text())
    assert bed["format"] == 1
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    friends = set(rows(tmp_path, schema.friendships))
    expected = {
        (a, b) for block in bed["blocks"] for a in block["friends"] for b in block["friends"] if a != b
    }
    assert friends == expected
    for block in bed["blocks"]:
        names = [user["user"] for user in block["users"]]
        assert (len(names), len(block["friends"]), len(block["strangers"])) == (10, 7, 3)
        assert names == block["friends"] + block["strangers"]
        assert block["group_members"] == block["friends"][:5]
        assert block["outsiders"] == block["friends"][5:]
    members = {(block["group"], user) for block in bed["blocks"] for user in block["group_members"]}
    assert set(rows(tmp_path, schema.group_members)) == members
    accounts.testbed(tmp_path, 1, out, 60)
    assert len(users_in(tmp_path)) == 50


def test_testbed_users_can_log_in_as_described(tmp_path: Path) -> None:
    out = tmp_path / "testbed.json"
    accounts.testbed(tmp_path, 4, out, 60)
    blocks = json.loads(out.read_text())["blocks"]
    signer = TokenSigner(load_or_create_secret(tmp_path))
    for user in (user for block in blocks for user in block["users"]):
        assert signer.verify(user["token"]) == user["user"]
        with pytest.raises(TokenRefused, match="expired"):
            signer.verify(user["expired_token"])
    with_password = [[user["password"] is not None for user in block["users"]] for block in blocks]
    assert with_password == [[True] + [False] * 9] * 3 + [[False] * 10]
    storage = Storage.open(tmp_path)
    first = blocks[0]["users"][0]
    assert accounts.check_password(storage.engine, first["user"], first["password"])
    storage.close()
