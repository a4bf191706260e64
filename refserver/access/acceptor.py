"""Listening sockets of one carrier, and what to do when the process has no descriptors left."""

import errno
import logging
import socket

import gevent

from reactor import sockets
from reactor.poller import Poller

log = logging.getLogger(__name__)

ACCEPT_AGAIN_S = 0.5
_FULL = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Acceptor:
    """Its listeners are in the carrier's own epoll set; the carrier asks when one is ready."""

    __slots__ = ("_is_full", "_listeners", "_poller")

    def __init__(self, poller: Poller) -> None:
        self._poller = poller
        self._listeners: dict[int, socket.socket] = {}
        self._is_full = False

    def add(self, listener: socket.socket) -> None:
        """Watched from now on, and closed by `stop`."""
        self._listeners[listener.fileno()] = listener
        self._poller.add(listener.fileno())

    def accept(self, fd: int) -> list[int]:
        """Descriptors of new connections; none if `fd` is no listener, or if there is no room.

        Without descriptors left accepting pauses for ACCEPT_AGAIN_S, and the log says so once.
        """
        listener = self._listeners.get(fd)
        if listener is None:
            return []
        try:
            accepted = sockets.accept_batch(listener)
        except OSError as error:
            if error.errno not in _FULL:
                raise
            self._pause(error)
            return []
        if accepted and self._is_full:
            self._is_full = False
            log.warning("accepting connections again")
        return accepted

    def stop(self) -> None:
        """Nobody is accepted any more."""
        for fd, listener in self._listeners.items():
            self._poller.remove(fd)
            listener.close()
        self._listeners.clear()

    def _pause(self, error: OSError) -> None:
        if not self._is_full:
            self._is_full = True
            log.warning("not accepting connections for now: %s", error.strerror)
        for fd in self._listeners:
            self._poller.watch(fd, read=False)
        gevent.spawn_later(ACCEPT_AGAIN_S, self._resume)

    def _resume(self) -> None:
        for fd in self._listeners:
            self._poller.watch(fd, read=True)


def end_sending(fd: int) -> None:
    """The peer sees the end of the stream after what was sent. Nothing happens if the peer is gone."""
    connection = socket.socket(fileno=fd)
    try:
        connection.shutdown(socket.SHUT_WR)
    except OSError as error:
        if error.errno != errno.ENOTCONN:
            raise
    finally:
        connection.detach()
