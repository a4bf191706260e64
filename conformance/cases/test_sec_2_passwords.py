"""SEC.2: a password is kept as a hash only, and a refusal does not tell what was wrong."""

import base64
import hashlib
import re
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from conformance.accounts import User
from conformance.clients import MakeWeb
from conformance.phone import fresh_cid
from conformance.target import Target
from conformance.verdicts import Undecided, not_offered
from conformance.web import Reply, Web

pytestmark = [pytest.mark.clause("SEC.2"), pytest.mark.once("passwords are only for HTTP")]

_SAMPLES = 12
_Z_LIMIT = 3.0
"""Of a rank sum: by chance it is exceeded once in 370 measurements, and three in a row have to exceed it."""


@pytest.fixture
def known(target: Target) -> User:
    """Somebody whose password the suite knows."""
    accounts = target.accounts_with_password()
    if not accounts:
        not_offered("the accounts file has no password")
    return accounts[0]


def try_password(short: Web, user: str, password: str) -> Reply:
    reply = short.call("POST", "/v1/tokens", {"user": user, "password": password})
    if reply.status in (429, 503):
        raise Undecided(f"the server limits attempts ({reply.status}), so they cannot be compared")
    return reply


def without_date(reply: Reply) -> dict[str, str]:
    return {name.lower(): value for name, value in reply.headers.items() if name.lower() != "date"}


def test_the_right_password_and_only_it_gives_a_token(known: User, web: MakeWeb) -> None:
    """Passwords are ... one-way hashes ... : of the whole password, exactly as it is.

    The right password is tried, and eight near it: cut, extended, in other case, with spaces, empty.
    Expected: a token that works for the right one, 401 for each of the others.
    """
    password = known.password or ""
    short = web(None)
    good = try_password(short, known.user, password)
    assert good.status == 200, f"expected a token for the right password, got {good.status} {good.body!r}"
    with_token = web(User(known.user, good.content["token"])).call("GET", "/v1/unread")
    assert with_token.status == 200, f"expected the token to be valid, got {with_token.status}"
    near = ["", password[:-1], password + "x", f" {password} ", password.swapcase(), password + "\0x"]
    near += ["' OR '1'='1", known.user]
    for wrong in near:
        reply = try_password(short, known.user, wrong)
        assert reply.status == 401, f"a password near the right one: expected 401, got {reply.status}"
        assert b"token" not in reply.body, "expected no token with a refusal"


def test_wrong_user_and_wrong_password_get_the_same_answer(known: User, web: MakeWeb, target: Target) -> None:
    """... a wrong user and a wrong password are told apart neither by answer nor by time: the answer.

    A user who does not exist, one who has no password, and one with a wrong password try to get a token.
    Expected: 401 with the same body and the same header fields, but for the date.
    """
    short = web(None)
    names = [known.user, f"nobody-{fresh_cid()}"]
    names += [user.user for user in target.next_block().users[1:2]]
    replies = [try_password(short, name, "not the password") for name in names]
    for name, reply in zip(names, replies, strict=True):
        got = (reply.status, reply.body, without_date(reply))
        wanted = (401, replies[0].body, without_date(replies[0]))
        assert got == wanted, f"{name}: expected the same answer as for a wrong password, {wanted}, got {got}"


def rank_sum_z(one: Sequence[float], other: Sequence[float]) -> float:
    """How many standard deviations the rank sum of `one` is from what equal distributions would have."""
    ordered = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    ranks = sum(rank for rank, (_, which) in enumerate(ordered, 1) if which == 0)
    n, m = len(one), len(other)
    expected = n * (n + m + 1) / 2
    return float((ranks - expected) / (n * m * (n + m + 1) / 12) ** 0.5)


def differ_in_time(first: Callable[[], float], second: Callable[[], float]) -> tuple[bool, float, float]:
    """Whether two requests take different times, measured in turn, and the median of each in seconds."""
    pairs: list[tuple[float, float]] = []
    for turn in range(_SAMPLES):
        # The one that comes first changes, so that nothing before a request favours either.
        if turn % 2:
            second_s = second()
            pairs.append((first(), second_s))
        else:
            pairs.append((first(), second()))
    one, other = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    z = rank_sum_z(one, other)
    return abs(z) > _Z_LIMIT, statistics.median(one), statistics.median(other)


def test_wrong_user_and_wrong_password_take_the_same_time(known: User, web: MakeWeb) -> None:
    """... a wrong user and a wrong password are told apart neither by answer nor by time: the time.

    A dozen times each, in turn, a token is asked for with a wrong password and for a user who does not
    exist. Expected: a rank test cannot tell the times apart; a finding has to hold in three measurements.
    """
    short = web(None)

    def wrong_password() -> float:
        return try_password(short, known.user, "not the password").took_s

    def wrong_user() -> float:
        return try_password(short, f"nobody-{fresh_cid()}", "not the password").took_s

    wrong_password(), wrong_user()
    for _ in range(3):
        differs, known_s, nobody_s = differ_in_time(wrong_password, wrong_user)
        if not differs:
            return
    assert not differs, (
        f"expected the same time for a wrong password and a wrong user, got medians of "
        f"{known_s * 1000:.2f} ms and {nobody_s * 1000:.2f} ms"
    )


def test_the_store_contains_no_password(known: User, web: MakeWeb, target: Target) -> None:
    """Passwords are stored only as salted one-way hashes of a memory-hard kind; the store never contains
    the password.

    Seen from inside only: the files of a server that the suite started are searched after right and wrong
    passwords were tried. Expected: neither is in any file, log included, in any usual encoding; hashes of
    argon2 are there, and each has a salt of its own.
    """
    if not target.is_ours:
        not_offered("what a server stores is not visible from outside")
    wrong = f"wrong-{fresh_cid()}"
    passwords = [user.password or "" for user in target.accounts_with_password()]
    short = web(None)
    for password in (passwords[0], wrong):
        try_password(short, known.user, password)
    folder = target.running_server().data_dir
    files = [path for path in Path(folder).rglob("*") if path.is_file()]
    contents = {path.name: path.read_bytes() for path in files}
    assert contents, f"expected the server to keep files in {folder}"
    for password in [*passwords, wrong]:
        for label, form in encodings_of(password).items():
            holders = [name for name, data in contents.items() if form in data]
            assert not holders, f"expected the password {label} in no file, found it in {holders}"
    hashes = {found for data in contents.values() for found in memory_hard_hashes(data)}
    assert len(hashes) >= len(passwords), (
        f"expected memory-hard hashes of {len(passwords)} passwords, found {len(hashes)}"
    )
    salts = {found.split(b"$")[4] for found in hashes if found.startswith(b"$argon2")}
    assert len(salts) == len(hashes), f"expected {len(hashes)} different salts, found {len(salts)}"


def encodings_of(password: str) -> dict[str, bytes]:
    data = password.encode()
    return {
        "itself": data,
        "in UTF-16": password.encode("utf-16-le"),
        "in base64": base64.b64encode(data).rstrip(b"="),
        "in hexadecimal": data.hex().encode(),
        "as MD5": hashlib.md5(data, usedforsecurity=False).hexdigest().encode(),
        "as SHA-1": hashlib.sha1(data, usedforsecurity=False).hexdigest().encode(),
        "as SHA-256": hashlib.sha256(data).hexdigest().encode(),
        "as raw SHA-256": hashlib.sha256(data).digest(),
    }


def memory_hard_hashes(data: bytes) -> list[bytes]:
    return re.findall(rb"\$argon2id?\$v=\d+\$[^$]{5,40}\$[\w+/]{8,}\$[\w+/]{16,}", data)
