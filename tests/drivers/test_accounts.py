import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.accounts import AccountsError, AccountsFile
from drivers.contract import Identity


@pytest.fixture
def written(tmp_path: Path):
    def write(content: bytes) -> Path:
        path = tmp_path / "accounts.csv"
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize(
    "content",
    [
        b"user,token\nann,t.1.x\nbob,t.2.y\n",
        b"ann,t.1.x\nbob,t.2.y",
        b"\xef\xbb\xbfuser,token\r\nann,t.1.x\r\n\r\nbob,t.2.y\r\n\r\n",
        b'"ann","t.1.x"\n"bob",t.2.y\n',
    ],
    ids=["header", "no header, no last newline", "windows", "quoted"],
)
def test_accounts_are_found_by_index(written, content: bytes) -> None:
    with AccountsFile(written(content)) as accounts:
        assert accounts.count == len(accounts) == 2
        assert accounts.identity(0, "phone") == Identity("ann", "phone", "t.1.x")
        assert accounts.identity(1, "pad") == Identity("bob", "pad", "t.2.y")


@given(
    sizes=st.lists(st.integers(1, 3000), min_size=1, max_size=40),
    header=st.booleans(),
    ends=st.booleans(),
    windows=st.booleans(),
)
def test_a_plain_file_of_any_size_is_found_by_index(
    tmp_path_factory, sizes: list[int], header: bool, ends: bool, windows: bool
) -> None:
    rows = [(f"u{number}", "t" * size) for number, size in enumerate(sizes)]
    end = "\r\n" if windows else "\n"
    lines = [",".join(row) for row in ([("user", "token")] if header else []) + rows]
    path = tmp_path_factory.mktemp("accounts") / "accounts.csv"
    path.write_text(end.join(lines) + (end if ends else ""), newline="")
    with AccountsFile(path) as accounts:
        assert accounts.count == len(rows)
        for index in reversed(range(accounts.count)):
            assert accounts.identity(index, "d") == Identity(rows[index][0], "d", rows[index][1])


@given(
    rows=st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1),
            st.text("abc.%_-,", min_size=1),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_whatever_csv_writes_is_read_back(tmp_path_factory, rows: list[tuple[str, str]]) -> None:
    path = tmp_path_factory.mktemp("accounts") / "accounts.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("user", "token"), *rows])
    with AccountsFile(path) as accounts:
        assert [accounts.identity(index, "d") for index in range(accounts.count)] == [
            Identity(user, "d", token) for user, token in rows
        ]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "the file is empty"),
        (b"user,token\n\n", "no account in it"),
        (b"ann\n", "line 1: has 1 fields"),
        (b"user,token\nann,t\n\nbob,t,extra\n", "line 4: has 3 fields"),
        (b"ann,t\n,t\n", "line 2: has an empty user"),
        (b"ann,t\nbob,\n", "line 2: has an empty user or token"),
        (b"ann,t\nbob,", "line 2: has an empty user or token"),
        (b'ann,t\n"bob,t\n', "line 2: is not CSV"),
        (b"ann,t\nb\xff,t\n", "line 2: is not UTF-8"),
    ],
)
def test_a_malformed_file_is_told_in_one_line(written, content: bytes, complaint: str) -> None:
    with pytest.raises(AccountsError) as raised:
        AccountsFile(written(content))
    assert complaint in str(raised.value)
    assert "accounts.csv" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(AccountsError, match=r"nowhere\.csv: No such file"):
        AccountsFile(tmp_path / "nowhere.csv")


@pytest.mark.parametrize("index", [-1, 1])
def test_an_account_that_is_not_there_is_no_traceback(written, index: int) -> None:
    accounts = AccountsFile(written(b"ann,t\n"))
    with pytest.raises(AccountsError, match="there are 1"):
        accounts.identity(index, "phone")


def test_another_process_finds_the_same_accounts_by_the_index(written, tmp_path: Path) -> None:
    path, index = written(b"".join(b"user%d,token%d\n" % (n, n) for n in range(5000))), tmp_path / "index"
    accounts = AccountsFile(path)
    accounts.save_index(index)
    known = AccountsFile(path, index)
    assert known.count == 5000
    assert [known.identity(n, "a") for n in range(5000)] == [accounts.identity(n, "a") for n in range(5000)]


def test_the_index_of_another_file_is_not_believed(written, tmp_path: Path) -> None:
    index = tmp_path / "index"
    path = written(b"".join(b"user%d,token\n" % n for n in range(3000)))
    AccountsFile(path).save_index(index)
    path.write_bytes(b"ann,t\n")
    assert AccountsFile(path, index).count == 1
