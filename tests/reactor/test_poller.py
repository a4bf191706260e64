"""The poller, on real sockets."""

import socket
from collections.abc import Callable, Iterator

import gevent.event
import pytest

from reactor.poller import READABLE, WRITABLE, Poller

Until = Callable[[Callable[[], object]], None]
Pair = tuple[socket.socket, socket.socket]


class Seen:
    """What the poller handed over, batch by batch."""

    def __init__(self) -> None:
        self.batches: list[list[tuple[int, int]]] = []

    def masks(self, of: socket.socket) -> int:
        union = 0
        for fd, mask in (each for batch in self.batches for each in batch):
            if fd == of.fileno():
                union |= mask
        return union


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def poller(seen: Seen) -> Iterator[Poller]:
    poller = Poller(seen.batches.append)
    yield poller
    poller.close()


def let_the_hub_look_around(until: Until) -> None:
    """Afterwards anything that was ready before has been reported: another poller's bytes have, thrice."""
    witness = Seen()
    poller = Poller(witness.batches.append)
    ours, theirs = socket.socketpair()
    poller.add(ours.fileno())
    theirs.send(b"x")
    until(lambda: len(witness.batches) >= 3)
    poller.close()
    ours.close()
    theirs.close()


def test_a_socket_with_bytes_is_reported_until_they_are_read(
    poller: Poller, seen: Seen, pair: Pair, until: Until
) -> None:
    ours, theirs = pair
    poller.add(ours.fileno())
    theirs.send(b"x")
    until(lambda: len(seen.batches) >= 3)
    assert seen.batches[0] == [(ours.fileno(), 1)]
    assert seen.masks(ours) & READABLE
    ours.recv(10)
    seen.batches.clear()
    let_the_hub_look_around(until)
    assert seen.batches == []


def test_writability_is_reported_only_when_asked_for(
    poller: Poller, seen: Seen, pair: Pair, until: Until
) -> None:
    ours, _ = pair
    poller.add(ours.fileno())
    let_the_hub_look_around(until)
    assert seen.batches == []
    poller.watch(ours.fileno(), write=True)
    until(lambda: seen.masks(ours) & WRITABLE)


def test_back_pressure_leaves_bytes_unreported_until_reading_resumes(
    poller: Poller, seen: Seen, pair: Pair, until: Until
) -> None:
    ours, theirs = pair
    poller.add(ours.fileno(), read=False)
    theirs.send(b"x")
    let_the_hub_look_around(until)
    assert seen.batches == []
    poller.watch(ours.fileno())
    until(lambda: seen.masks(ours) & READABLE)


def test_a_hang_up_is_reported_even_under_back_pressure(
    poller: Poller, seen: Seen, pair: Pair, until: Until
) -> None:
    ours, theirs = pair
    poller.add(ours.fileno(), read=False)
    theirs.close()
    until(lambda: seen.masks(ours) & READABLE)


def test_what_is_removed_is_not_reported(poller: Poller, seen: Seen, pair: Pair, until: Until) -> None:
    ours, theirs = pair
    poller.add(ours.fileno())
    poller.remove(ours.fileno())
    theirs.send(b"x")
    let_the_hub_look_around(until)
    assert seen.batches == []


def test_a_batch_is_bounded_and_nobody_is_left_out(until: Until) -> None:
    seen = Seen()
    poller = Poller(seen.batches.append, batch=3)
    pairs = [socket.socketpair() for _ in range(10)]
    for ours, theirs in pairs:
        poller.add(ours.fileno())
        theirs.send(b"x")
    until(lambda: all(seen.masks(ours) for ours, _ in pairs))
    poller.close()
    assert max(map(len, seen.batches)) <= 3
    for each in pairs:
        for end in each:
            end.close()


def test_two_pollers_share_one_hub(poller: Poller, seen: Seen, pair: Pair, until: Until) -> None:
    ours, theirs = pair
    others = Seen()
    other = Poller(others.batches.append)
    poller.add(ours.fileno())
    other.add(theirs.fileno())
    theirs.send(b"x")
    ours.send(b"y")
    until(lambda: seen.masks(ours) and others.masks(theirs))
    other.close()


def test_closing_from_within_and_twice_is_allowed(pair: Pair, until: Until) -> None:
    ours, theirs = pair
    calls: list[int] = []

    def handle(ready: list[tuple[int, int]]) -> None:
        calls.append(len(ready))
        closing.close()

    closing = Poller(handle)
    closing.add(ours.fileno())
    theirs.send(b"x")
    until(lambda: calls)
    closing.close()
    let_the_hub_look_around(until)
    assert calls == [1]


def test_a_handler_that_raises_is_called_again(capsys: pytest.CaptureFixture[str]) -> None:
    ours, theirs = socket.socketpair()
    calls: list[int] = []
    done = gevent.event.Event()

    def handle(ready: list[tuple[int, int]]) -> None:
        calls.append(len(ready))
        if len(calls) == 1:
            raise ValueError("the first batch fails")
        ours.recv(10)
        done.set()

    poller = Poller(handle)
    poller.add(ours.fileno())
    theirs.send(b"x")
    assert done.wait(60), "the poller has to go on after an error in its handler"
    assert "the first batch fails" in capsys.readouterr().err
    poller.close()
    ours.close()
    theirs.close()


def test_at_a_pace_nothing_is_looked_at_before_its_time(seen: Seen, pair: Pair, until: Until) -> None:
    ours, theirs = pair
    poller = Poller(seen.batches.append, pace_s=600.0)
    poller.add(ours.fileno())
    theirs.send(b"x")
    let_the_hub_look_around(until)
    poller.close()
    assert seen.batches == []


def test_at_a_pace_all_that_came_is_looked_at(seen: Seen, until: Until) -> None:
    poller = Poller(seen.batches.append, pace_s=0.01)
    pairs = [socket.socketpair() for _ in range(20)]
    for ours, theirs in pairs:
        poller.add(ours.fileno())
        theirs.send(b"x")
    until(lambda: seen.batches)
    poller.close()
    assert sorted(fd for fd, _ in seen.batches[0]) == sorted(ours.fileno() for ours, _ in pairs)
    for one in (one for pair in pairs for one in pair):
        one.close()
