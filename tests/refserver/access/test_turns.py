"""Whoever sends much at once goes on in turns, and nobody else waits for more than one."""

import gevent
from gevent.event import Event

from protocol.frames import EMPTY_PING
from protocol.messages import Ping, Pong
from refserver.access.connection import Connection
from refserver.access.node import FRAMES_AT_ONCE
from refserver.access.turns import TURN_S, Turns


class Work:
    """Connections that always have more to do, on a clock that only work moves; over after `most` steps."""

    def __init__(self, step_s: float, most: int) -> None:
        self.now = 0.0
        self.over = Event()
        self.done: list[int] = []
        self.turns = Turns(self.step, lambda: self.now)
        self._step_s = step_s
        self._most = most

    def step(self, connection: Connection) -> None:
        self.done.append(connection.number)
        self.now += self._step_s
        if len(self.done) < self._most:
            self.turns.put(connection)
        else:
            self.over.set()


def test_connections_go_on_one_after_the_other_however_often_they_are_put():
    work = Work(TURN_S / 4, 9)
    connections = [Connection(fd, fd) for fd in range(3)]
    for connection in connections * 2:
        work.turns.put(connection)
    assert work.over.wait(60)
    work.turns.close()
    assert work.done[:9] == [0, 1, 2] * 3


def test_a_turn_ends_with_its_time_and_others_have_the_hub_before_the_next():
    work = Work(TURN_S, 5)
    seen: list[int] = []

    def look() -> None:
        while not work.over.is_set():
            seen.append(len(work.done))
            gevent.sleep(0)

    looking = gevent.spawn(look)
    work.turns.put(Connection(0, 0))
    assert work.over.wait(60)
    looking.get()
    work.turns.close()
    assert set(seen) >= {1, 2, 3, 4}


def test_a_fault_in_one_connection_does_not_end_the_turns_of_others():
    done = Event()

    def go_on(connection: Connection) -> None:
        if connection.number == 0:
            raise ZeroDivisionError
        done.set()

    turns = Turns(go_on)
    gevent.get_hub().handle_error, real = (lambda *_: None), gevent.get_hub().handle_error
    try:
        turns.put(Connection(0, 0))
        turns.put(Connection(1, 1))
        assert done.wait(60)
    finally:
        gevent.get_hub().handle_error = real
        turns.close()


def test_frames_of_one_connection_do_not_keep_another_from_its_answer(connect, node):
    busy, other = connect("u1"), connect("u2")
    (connection,) = [each for each in node.lines.all() if each.presence.user == "u1"]
    pings = 100 * FRAMES_AT_ONCE
    busy.send_bytes(EMPTY_PING * pings)
    while not connection.waits:
        gevent.sleep(0)
    other.send(Ping())
    other.expect(Pong)
    assert connection.buffer is not None, "the other was answered before all frames of the first"
    for _ in range(pings):
        busy.expect(Pong)
