"""POST /v1/tokens: a password becomes a token. The only call that has to wait, for a hash made to be slow."""

import msgspec

from protocol.messages import Name, Text
from refserver.access.http import answers
from refserver.access.http.answers import Answer
from refserver.access.http.call import Call
from refserver.access.http.routes import route

PASSWORDS_UNDER_WAY = 64
"""More at once would only wait for each other, and for the processor."""


class Credentials(msgspec.Struct):
    user: Name
    password: Text


class TokenShape(msgspec.Struct):
    """`expires_in_s`: how long `token` is good for."""

    token: str
    expires_in_s: float


@route("POST", "/v1/tokens", request=Credentials, response=TokenShape, public=True, refusals=(401,))
def issue(call: Call, credentials: Credentials) -> None:
    """A token for a user and password. A wrong user and a wrong password get the same answer."""
    accounts = call.node.accounts
    if accounts.under_way >= PASSWORDS_UNDER_WAY:
        call.fail(503, "too many passwords are being checked: try again in 1000 ms")
        return

    accounts.under_way += 1

    def work() -> Answer:
        try:
            known = accounts.check(credentials.user, credentials.password)
        finally:
            accounts.under_way -= 1
        if not known:
            return answers.problem(401, "unknown user or wrong password")
        token = accounts.signer.issue(credentials.user, accounts.token_ttl_s)
        return answers.json(TokenShape(token, accounts.token_ttl_s))

    call.spawn(work)
