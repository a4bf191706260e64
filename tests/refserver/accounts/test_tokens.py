"""Tokens: who they name, when they end, and everything that is refused."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.limits import MAX_TOKEN_CHARS
from protocol.names import is_valid_user
from refserver.tokens import TokenRefused, TokenSigner, load_or_create_secret

SECRET = b"a secret of the tests"

users = st.text(min_size=1, max_size=64).filter(is_valid_user)


@given(users)
def test_a_token_names_its_user_and_can_travel_in_a_header(user: str) -> None:
    token = TokenSigner(SECRET).issue(user, 60)
    assert TokenSigner(SECRET).verify(token) == user
    assert token.isascii()
    assert token.isprintable()
    assert " " not in token
    assert len(token) <= MAX_TOKEN_CHARS


def test_a_token_ends() -> None:
    now = [1000.0]
    signer = TokenSigner(SECRET, clock=lambda: now[0])
    token = signer.issue("alice", 60)
    now[0] = 1059.0
    assert signer.verify(token) == "alice"
    now[0] = 1060.0
    with pytest.raises(TokenRefused, match="expired"):
        signer.verify(token)


def test_a_negative_time_is_over_already() -> None:
    signer = TokenSigner(SECRET)
    with pytest.raises(TokenRefused, match="expired"):
        signer.verify(signer.issue("alice", -1))


@given(st.integers(0), st.characters())
def test_a_changed_token_is_refused(place: int, character: str) -> None:
    signer = TokenSigner(SECRET)
    token = signer.issue("alice", 60)
    at = place % len(token)
    changed = token[:at] + character + token[at + 1 :]
    if changed == token:
        return
    try:
        user = signer.verify(changed)
    except TokenRefused:
        return
    # The last character of a signature holds two bits that nobody reads.
    assert (user, at) == ("alice", len(token) - 1)


@pytest.mark.parametrize(
    "token", ["", ".", "..", "alice", "alice.1", "a.b.c.d", "\ud800", "\0", "ü.9.x", "." * 999]
)
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(TokenRefused) as caught:
        TokenSigner(SECRET).verify(token)
    assert caught.value.reason in {"not a token", "bad signature"}


def test_another_secret_is_a_bad_signature() -> None:
    with pytest.raises(TokenRefused, match="bad signature"):
        TokenSigner(SECRET).verify(TokenSigner(b"another").issue("alice", 60))


def test_the_secret_is_made_once_and_private(tmp_path: Path) -> None:
    first = load_or_create_secret(tmp_path / "new")
    assert load_or_create_secret(tmp_path / "new") == first
    assert len(first) == 32
    (path,) = (tmp_path / "new").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_create_secret(tmp_path / "other") != first
