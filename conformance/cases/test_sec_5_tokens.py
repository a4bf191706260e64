"""SEC.5: a token is good as it is, until it expires, and for the one user that a connection belongs to."""

import string
from collections.abc import Callable

import gevent
import pytest

from conformance.accounts import Block
from conformance.carriers import on_a_connection
from conformance.cases.test_sec_5_access import assert_refused
from conformance.clients import MakePhone
from conformance.phone import log_in
from conformance.target import Target
from conformance.verdicts import not_offered
from drivers.pumps.wire import Wire
from protocol.messages import Error, LoggedIn, Login

pytestmark = [
    pytest.mark.clause("SEC.5"),
    on_a_connection("over polls no login names the user, see the cases of the routes"),
]

_LOW = string.ascii_uppercase + "abcdef"
"""The characters of base64 whose upper bit is nought."""


def test_a_token_changed_in_one_place_does_not_let_in(block: Block, wire: Callable[[], Wire]) -> None:
    """Without a valid ... token: one that was changed is not valid, wherever the change is.

    LOGIN is tried with tokens of which one character is another: each in turn, from the first to the last.
    Expected: ERROR 401 and the end for each.
    """
    token = block.users[0].token

    def try_changed(at: int) -> None:
        # Of what a last character says in base64, the upper bits count and the lower may not.
        other = "0" if token[at] in _LOW else "A"
        connection = wire()
        connection.send(Login(token[:at] + other + token[at + 1 :], "intruder"))
        assert_refused(connection, f"LOGIN with a token changed at {at} of {len(token)}")

    places = [at for at in range(len(token)) if token[at] != "."]
    gevent.joinall([gevent.spawn(try_changed, at) for at in places], raise_error=True)


def test_a_token_is_good_for_no_second_longer(block: Block, wire: Callable[[], Wire], target: Target) -> None:
    """Without a ... unexpired token nothing but login answers: expired is what has expired just now.

    Seen from inside only: tokens are made as the server makes them, one that has just expired and one that
    has not. Expected: ERROR 401 and the end for the first; the second lets in.
    """
    if not target.is_ours:
        not_offered("the target was not started by us, so no tokens can be made for it")
    from refserver.tokens import TokenSigner, load_or_create_secret

    signer = TokenSigner(load_or_create_secret(target.running_server().data_dir))
    user = block.users[0]
    connection = wire()
    connection.send(Login(signer.issue(user.user, -1), "phone"))
    assert_refused(connection, "LOGIN with a token that expired a second ago")
    connection = wire()
    connection.send(Login(signer.issue(user.user, 60), "phone"))
    connection.expect(LoggedIn)


def test_a_connection_belongs_to_one_user(block: Block, wire: Callable[[], Wire], phone: MakePhone) -> None:
    """... no user can read ... what belongs to another: a connection is one user's from its login to its end.

    Over a connection that is logged in comes a LOGIN of another user, and over one more a LOGIN of the same
    user. Expected: ERROR 400 and the end, and nothing before it; both users can log in elsewhere.
    """
    one, other = block.pick(2)
    for second in (other, one):
        connection = wire()
        log_in(connection, one, "shared")
        connection.send(Login(second.token, "second"))
        came = connection.expect_closed()
        errors = [(message.code, message.fatal) for message in came if isinstance(message, Error)]
        assert errors == [(400, True)], f"a second LOGIN: expected ERROR 400 and the end, got {came}"
        assert len(came) == 1, f"a second LOGIN: expected nothing but the ERROR, got {came}"
    for user in (one, other):
        phone(user, "second").beat()
