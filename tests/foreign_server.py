"""A server that others wrote, running for the tests of a folder."""

from chatproof import starting
from drivers.accounts import AccountsFile
from drivers.contract import Identity


class ForeignServer:
    """`started`: what runs. Each user is given out once, so that tests can share it."""

    def __init__(self, started: starting.Started) -> None:
        self.started = started
        self._accounts = AccountsFile(started.accounts)
        self._next = 0

    def identity(self, device: str = "d0", rooms: tuple[str, ...] = ()) -> Identity:
        """Of a user that nobody had yet."""
        known = self._accounts.identity(self._next, device)
        self._next += 1
        return Identity(known.user, device, known.secret, rooms)

    def url(self, scheme: str, query: str = "") -> str:
        """Its first one of a scheme such as mqtt+ws, with the query added to its own."""
        found = next(url for url in self.started.urls if url.startswith(f"{scheme}:"))
        return f"{found}{'&' if '?' in found else '?'}{query}" if query else found
