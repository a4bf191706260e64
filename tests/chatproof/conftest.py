"""Paths for the modules that tests here share, and accounts, which take a while to make."""

import sys
from pathlib import Path

import pytest

from chatproof.target import make_accounts
from refserver import accounts

sys.path.insert(0, str(Path(__file__).parent))

USERS = 30


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to copy: `data` of a server with USERS users in circles of five, their tokens beside it."""
    folder = tmp_path_factory.mktemp("furnished")
    users = make_accounts(folder / "data", USERS, 5)
    accounts.tokens(folder / "data", users, 3600.0, folder / "accounts.csv")
    return folder
