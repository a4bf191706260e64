"""Names of conversations, and the numbers that everything else is held to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import limits
from protocol.frames import encode
from protocol.messages import Entry, Item, Pulled, SendPackage
from protocol.names import conversation_between, is_group, is_valid_user, peer_in

users = st.text(min_size=1, max_size=64).filter(is_valid_user)


@given(users, users)
def test_a_conversation_has_one_name_from_both_sides(one: str, other: str) -> None:
    name = conversation_between(one, other)
    assert name == conversation_between(other, one)
    assert not is_group(name)
    assert (peer_in(name, one), peer_in(name, other)) == (other, one)


@given(users, users, users, users)
def test_two_pairs_of_users_never_share_a_name(one: str, other: str, third: str, fourth: str) -> None:
    same_pair = {one, other} == {third, fourth}
    assert (conversation_between(one, other) == conversation_between(third, fourth)) == same_pair


@given(users)
def test_a_group_is_its_own_other_party(user: str) -> None:
    assert is_group("g:team")
    assert peer_in("g:team", user) == "g:team"


@pytest.mark.parametrize(
    "user", ["", "g", "a:b", "a b", "a\tb", "a\n", " ", "x" * 65, "\x00", "\u202e", "a\u00a0b"]
)
def test_what_is_no_user_id(user: str) -> None:
    assert not is_valid_user(user)


@pytest.mark.parametrize("user", ["u1", "G", "gg", "x" * 64, "小明", "a.b-c_d@e"])
def test_what_is_a_user_id(user: str) -> None:
    assert is_valid_user(user)


def test_a_page_of_the_largest_allowed_fits_a_frame_uncompressed() -> None:
    name = "\U0001f600" * 16
    assert is_valid_user(name)
    assert not is_valid_user(name + "a")
    count = limits.MAX_PAGE_ENTRIES
    body = bytes(limits.MAX_PAGE_BYTES // count)
    top = 2**63 - 1
    entries = [Entry(top, top, f"{name}:{name}", top, name, "custom", body, top)] * count
    encode(Pulled(entries, top, True))


def test_a_package_of_small_items_fits_a_frame() -> None:
    encode(SendPackage("c", "bob", [Item("text", bytes(8 << 10))] * limits.MAX_PACKAGE_ITEMS))


@pytest.mark.parametrize(("heartbeat_s", "limit_s"), [(1, 2.5), (60, 91.0), (3600, 5401.0)])
def test_silence_is_one_and_a_half_heartbeats_and_a_second(heartbeat_s: int, limit_s: float) -> None:
    assert limits.silence_limit_s(heartbeat_s) == limit_s


def test_kinds_are_the_six_documented_ones() -> None:
    assert {"text", "image", "audio", "video", "file", "custom"} == limits.KINDS
