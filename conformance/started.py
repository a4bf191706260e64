"""A server that was started for the run, and what a case may do to it."""

from typing import TYPE_CHECKING, Protocol

import psutil

if TYPE_CHECKING:
    from refserver.process import ServerProcess


class StartedServer(Protocol):
    """Its addresses and its data stay whatever happens to its process."""

    @property
    def is_running(self) -> bool:
        """Whether it would answer."""

    def start(self) -> object:
        """It answers again, on the same addresses, with what it had stored."""

    def stop(self) -> object:
        """It was asked to end, and has."""

    def kill(self) -> object:
        """All of its processes are gone without a word."""


class OfTheReference:
    """The reference server as one of these."""

    def __init__(self, server: "ServerProcess") -> None:
        self._server = server
        self.start = server.start
        self.stop = server.stop
        self.kill = server.kill

    @property
    def is_running(self) -> bool:
        return psutil.pid_exists(self._server.pid)
