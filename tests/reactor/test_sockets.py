"""Bare descriptors on 127.0.0.0/8: accepting, connecting, reading, writing, resetting."""

import errno
import os
import resource
import select
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from reactor import sockets


def wait_for(fd: int, mask: int) -> None:
    poll = select.poll()
    poll.register(fd, mask)
    assert poll.poll(60_000), "nothing happened in a minute"


@pytest.fixture
def link(listener: socket.socket) -> Iterator[tuple[int, int]]:
    """Two connected descriptors: the connecting end, the accepted end. The test may close them."""
    ours = sockets.start_connect(listener.getsockname())
    wait_for(listener.fileno(), select.POLLIN)
    [theirs] = sockets.accept_batch(listener)
    wait_for(ours, select.POLLOUT)
    yield ours, theirs
    for fd in (ours, theirs):
        try:
            os.close(fd)
        except OSError as error:
            if error.errno != errno.EBADF:
                raise


def option(fd: int, level: int, name: int) -> int:
    borrowed = socket.socket(fileno=os.dup(fd))
    with borrowed:
        return borrowed.getsockopt(level, name)


def test_everybody_who_waits_is_accepted_in_bounded_batches(listener: socket.socket) -> None:
    callers = [socket.create_connection(listener.getsockname()) for _ in range(7)]
    accepted = [sockets.accept_batch(listener, limit=5), sockets.accept_batch(listener, limit=5)]
    assert [len(batch) for batch in accepted] == [5, 2]
    assert sockets.accept_batch(listener) == []
    for fd in [*accepted[0], *accepted[1]]:
        assert not os.get_blocking(fd)
        assert option(fd, socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert option(fd, socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        os.close(fd)
    for caller in callers:
        caller.close()


def test_when_descriptors_run_out_the_batch_so_far_counts_and_the_next_says_why(
    listener: socket.socket,
) -> None:
    callers = [socket.create_connection(listener.getsockname()) for _ in range(3)]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    used = {int(name) for name in os.listdir("/proc/self/fd")} - {lowest_free}
    ceiling = next(n + 1 for n in range(lowest_free, 1 << 20) if n not in used)
    resource.setrlimit(resource.RLIMIT_NOFILE, (ceiling, hard))
    try:
        accepted = sockets.accept_batch(listener)
        with pytest.raises(OSError, match="Too many open files") as caught:
            sockets.accept_batch(listener)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert len(accepted) == 1
    assert caught.value.errno == errno.EMFILE
    rest = sockets.accept_batch(listener)
    assert len(rest) == 2
    for fd in [*accepted, *rest]:
        os.close(fd)
    for caller in callers:
        caller.close()


def test_a_connection_comes_up_from_the_address_asked_for(listener: socket.socket) -> None:
    fd = sockets.start_connect(listener.getsockname(), source="127.0.0.2")
    wait_for(fd, select.POLLOUT)
    assert sockets.connect_error(fd) == 0
    connection, address = listener.accept()
    assert address[0] == "127.0.0.2"
    connection.close()
    os.close(fd)


def test_a_refused_connection_says_so_and_its_descriptor_stays_the_callers(listener: socket.socket) -> None:
    address = listener.getsockname()
    listener.close()
    fd = sockets.start_connect(address)
    wait_for(fd, select.POLLOUT)
    assert sockets.connect_error(fd) == errno.ECONNREFUSED
    os.close(fd)


def test_an_attempt_that_cannot_even_start_raises_and_leaks_nothing() -> None:
    before = os.listdir("/proc/self/fd")
    with pytest.raises(OSError, match="Cannot assign requested address"):
        sockets.start_connect(("127.0.0.1", 9), source="192.0.2.1")
    assert os.listdir("/proc/self/fd") == before


def test_a_port_in_use_raises_and_leaks_nothing(listener: socket.socket) -> None:
    before = os.listdir("/proc/self/fd")
    with pytest.raises(OSError, match="Address already in use"):
        sockets.listen("127.0.0.1", listener.getsockname()[1])
    assert os.listdir("/proc/self/fd") == before


def test_a_reserved_port_refuses_everybody_until_whoever_knows_it_listens_there() -> None:
    with sockets.reserve("127.0.0.1") as kept, socket.socket() as stranger:
        address = kept.getsockname()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)
        with pytest.raises(OSError, match="Address already in use"):
            stranger.bind(address)
        for _ in range(2):  # whoever ends can come again
            with sockets.listen(*address), socket.create_connection(address):
                pass
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)


def test_processes_may_share_a_port() -> None:
    first = sockets.listen("127.0.0.1", 0, reuse_port=True)
    second = sockets.listen("127.0.0.1", first.getsockname()[1], reuse_port=True)
    first.close()
    second.close()


def test_reading_tells_bytes_nothing_and_the_end_apart(link: tuple[int, int]) -> None:
    ours, theirs = link
    assert sockets.read(ours) is None
    assert sockets.write(theirs, b"hello") == 5
    wait_for(ours, select.POLLIN)
    assert sockets.read(ours, 2) == b"he"
    assert sockets.read(ours) == b"llo"
    os.close(theirs)
    wait_for(ours, select.POLLIN)
    assert sockets.read(ours) == b""


def test_a_full_buffer_takes_nothing_more(link: tuple[int, int]) -> None:
    ours, theirs = link
    chunk = bytes(1 << 20)
    sent = 0
    while taken := sockets.write(ours, chunk):
        sent += taken
    assert sent > 0
    assert sockets.write(ours, memoryview(chunk)) == 0
    wait_for(theirs, select.POLLIN)
    assert sockets.read(theirs)


def test_a_reset_reaches_the_peer_as_one(link: tuple[int, int]) -> None:
    ours, theirs = link
    sockets.reset(ours)
    wait_for(theirs, select.POLLHUP)
    with pytest.raises(ConnectionResetError):
        sockets.read(theirs)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(ours)


PATCHED = """
import gevent.monkey; gevent.monkey.patch_all()
import errno, gevent, os
from reactor import sockets
from reactor.poller import Poller

listener = sockets.listen("127.0.0.1", 0)
address = listener.getsockname()
result = []
def in_hub():
    try:
        assert sockets.accept_batch(listener) == []
        result.append(sockets.start_connect(address, "127.0.0.3"))
    except BaseException as error:
        result.append(error)
gevent.get_hub().loop.run_callback(in_hub)
gevent.sleep(0.01)
[fd] = result
assert isinstance(fd, int), fd
while not (accepted := sockets.accept_batch(listener)):
    gevent.sleep(0)
assert sockets.connect_error(fd) == 0
assert sockets.read(fd) is None
ready = []
poller = Poller(ready.extend)
poller.add(fd)
sockets.reset(accepted[0])
while not ready:
    gevent.sleep(0)
poller.close()
try:
    os.fstat(accepted[0])
    raise SystemExit("still open after a reset")
except OSError as error:
    assert error.errno == errno.EBADF
"""


def test_nothing_waits_in_the_hub_when_gevent_has_replaced_the_socket_module() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PATCHED], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
