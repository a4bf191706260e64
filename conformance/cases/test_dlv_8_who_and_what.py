"""DLV.8: who has nobody may write to nobody, kinds are six words, and what is posted may be malformed."""

import base64

import pytest

from conformance.accounts import Block
from conformance.clients import MakePhone, MakeWeb
from conformance.phone import fresh_cid
from protocol.limits import MAX_NAME_CHARS, MAX_PACKAGE_ITEMS
from protocol.messages import Error

pytestmark = pytest.mark.clause("DLV.8")


def test_who_has_no_friends_may_write_to_nobody(block: Block, phone: MakePhone) -> None:
    """A send that cannot be accepted (... not permitted ...) gets a definite error: also from who has no
    relations at all.

    Somebody without a friend and without a group writes to a user with friends, to another without, and to a
    group. Expected: 403 each time; nobody has any of it.
    """
    stranger, other = (block.account(user) for user in block.strangers[:2])
    friend = block.users[0]
    source = phone(stranger)
    for to in (friend.user, other.user, block.group):
        answer = source.try_to_say(to, b"let me in")
        assert isinstance(answer, Error), f"to {to}: expected ERROR 403, got {answer}"
        assert (answer.code, answer.fatal) == (403, False), f"to {to}: expected ERROR 403, got {answer}"
    for user in (stranger, other, friend):
        found = phone(user, "reader").inbox()
        assert found == [], f"{user.user}: expected an empty inbox, found {found}"


@pytest.mark.parametrize("kind", ["Text", "TEXT", "text ", "texts", "text/plain", "te\u200bxt"])
def test_a_kind_is_one_of_six_words(block: Block, phone: MakePhone, kind: str) -> None:
    """A send that cannot be accepted gets a definite error with a code, is not stored: a kind that only looks
    like one.

    A message of a kind that is nearly `text` is sent to a friend. Expected: 415, and an empty inbox.
    """
    sender, friend = block.pick(2)
    answer = phone(sender).try_to_say(friend.user, b"never", kind=kind)
    assert isinstance(answer, Error), f"the kind {kind!r}: expected ERROR 415, got {answer}"
    assert answer.code == 415, f"the kind {kind!r}: expected ERROR 415, got {answer.code} {answer.text}"
    found = phone(friend).inbox()
    assert found == [], f"expected nothing to be stored, found {found}"


_ITEM = {"kind": "text", "body": "eA=="}
MALFORMED: dict[str, dict[str, object]] = {
    "a body that is no base64": {"body": "not base64!"},
    "a body with something between": {"body": "bm V2ZXI="},
    "a body that ends too early": {"body": "bmV2ZXI"},
    "a body of the alphabet for URLs": {"body": base64.urlsafe_b64encode(b"\xfb\xff\xfe").decode()},
    "a body that is a number": {"body": 7},
    "a kind that is a number": {"kind": 7},
    "no recipient": {"to": ""},
    "no client message id": {"cid": ""},
    "a client message id that is too long": {"cid": "c" * (MAX_NAME_CHARS + 1)},
    "items that are none": {"kind": None, "body": None, "items": []},
    "too many items": {"kind": None, "body": None, "items": [_ITEM] * (MAX_PACKAGE_ITEMS + 1)},
    "an item without a body": {"kind": None, "body": None, "items": [_ITEM, {"kind": "text"}]},
    "an item that is no base64": {"kind": None, "body": None, "items": [_ITEM, {**_ITEM, "body": "!"}]},
}


@pytest.mark.clause("CHN.1")
@pytest.mark.once("what is malformed here is posted, whatever the carrier")
@pytest.mark.needs("http_send", "packages")
def test_a_malformed_post_is_told_so(block: Block, phone: MakePhone, web: MakeWeb) -> None:
    """A send that cannot be accepted (... too large, malformed ...) gets a definite error with a code, is not
    stored: over HTTP as well.

    Posts of thirteen kinds that are no message are made over one connection, and each is put right and made
    again. Expected: 400, 413, 415 or 422 with problem details for each; only what was put right is stored.
    """
    sender, friend = block.pick(2)
    short = web(sender)
    for what, changes in MALFORMED.items():
        good = {"cid": fresh_cid(), "to": friend.user, "kind": "text", "body": "eA=="}
        content = {name: value for name, value in {**good, **changes}.items() if value is not None}
        reply = short.call("POST", "/v1/messages", content)
        assert reply.status in (400, 413, 415, 422), (
            f"{what}: expected 400, 413, 415 or 422, got {reply.status} {reply.body[:100]!r}"
        )
        described = reply.headers.get("Content-Type", "")
        assert described.startswith("application/problem+json"), f"{what}: expected problem details"
        status = short.call("POST", "/v1/messages", good).status
        assert status == 200, f"{what}, put right: expected 200, got {status}"
    found = [entry.body for entry in phone(friend).inbox()]
    assert found == [b"x"] * len(MALFORMED), f"expected only what was put right, found {found}"
