"""DLV.1."""

import pytest

from conformance.accounts import Block
from conformance.clients import MakePhone


@pytest.mark.clause("DLV.1")
def test_hello(block: Block, phone: MakePhone) -> None:
    """x"""
    one, other = block.pick(2)
    a, b = phone(one), phone(other)
    sent = a.say(other.user, b"hi")
    assert b.await_push(b"hi").mid == sent.mid, "same mid"
