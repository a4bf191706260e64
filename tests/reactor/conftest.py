"""A hub that turns until something happened, and sockets that are closed afterwards."""

import socket
from collections.abc import Callable, Iterator

import gevent
import pytest

from reactor import sockets


@pytest.fixture
def until() -> Callable[[Callable[[], object]], None]:
    """`until(true)` lets the hub run until `true()`; fails after a minute."""

    def turn(true: Callable[[], object]) -> None:
        with gevent.Timeout(60):
            while not true():
                gevent.sleep(0)

    return turn


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    listening = sockets.listen("127.0.0.1", 0)
    yield listening
    listening.close()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    yield ours, theirs
    ours.close()
    theirs.close()
