"""IRC as a dialect of Chatproof: `irc://HOST:PORT`. A user is a nickname, the group g:ann the channel #ann.

IRC acknowledges nothing. But a server does what one client says in the order in which it is said, so a PING
behind a message has its PONG once the message has been dealt with: that counts as its acknowledgement. Who is
not there gets nothing, now or later.
"""

from chatproof_irc.session import IrcSession
from drivers.contract import Dialect

DIALECT = Dialect(
    name="irc",
    new_session=IrcSession,
    offers=frozenset(),
    default_port=6667,
    needs_accounts=False,
    enters_rooms=True,
    retransmits=False,
)
