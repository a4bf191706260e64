"""Who exists and who may talk to whom: everything here works on a data directory, also while a server runs.

A running server notices new accounts, friends and group members with the next message.
"""

from refserver.accounts.adding import add, generate, import_rows
from refserver.accounts.database import AccountsError
from refserver.accounts.issuing import tokens
from refserver.accounts.passwords import check_password
from refserver.accounts.relations import befriend, befriend_pairs, group, groups_bulk
from refserver.accounts.testbed import testbed

__all__ = [
    "AccountsError",
    "add",
    "befriend",
    "befriend_pairs",
    "check_password",
    "generate",
    "group",
    "groups_bulk",
    "import_rows",
    "testbed",
    "tokens",
]
