"""Networks of our own: what is asked of them happens to real packets, and no longer once it is healed."""

import contextlib
import errno
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from chaos.errors import PacketsError
from chaos.packets.firewall import Firewall
from chaos.packets.impairment import Impairment
from chaos.packets.leftovers import FOLDER
from chaos.packets.network import DEVICE, DOWNSTREAM, KINDS, UPSTREAM, Network
from tests.packets.conftest import PATIENCE_S, PORT, Ends, Make, flood

MakeEnds = Callable[..., Ends]


def _answers(client: socket.socket, server: socket.socket, *, within_s: float = PATIENCE_S) -> bool:
    client.settimeout(within_s)
    try:
        server.sendall(b"pong")
        client.sendall(b"ping")
        server.settimeout(within_s)
        return (client.recv(4), server.recv(4)) == (b"pong", b"ping")
    except TimeoutError:
        return False


def _connect_error(ends: Ends, port: int = PORT, timeout_s: float = PATIENCE_S) -> int:
    client = ends.dial(port)
    client.settimeout(timeout_s)
    try:
        return client.connect_ex(("10.77.1.2", port))
    finally:
        client.close()


def _passed(network: Network) -> tuple[int, int]:
    """How many packets both sides have sent, and how many came to them."""
    sent = came = 0
    for side in (network.client, network.server):
        with side.entered():
            table = Path("/proc/thread-self/net/dev").read_text()
        (row,) = [line.split() for line in table.splitlines() if line.split()[0] == f"{DEVICE}:"]
        came, sent = came + int(row[2]), sent + int(row[10])
    return sent, came


def _sent_again(network: Network) -> int:
    """Segments that the client's kernel has sent once more, because no answer came in time."""
    with network.client.entered():
        table = Path("/proc/thread-self/net/snmp").read_text()
    names, values = [line.split() for line in table.splitlines() if line.startswith("Tcp:")]
    return int(values[names.index("RetransSegs")])


def _alive(pairs: list[tuple[socket.socket, socket.socket]], expected: int) -> int:
    """How many pairs hear each other: as many as expected are waited for, any beyond them for a moment."""
    for client, server in pairs:
        server.sendall(b"pong")
        client.sendall(b"ping")
    heard: set[int] = set()
    until = time.monotonic() + PATIENCE_S
    while len(heard) < expected and time.monotonic() < until:
        heard |= {number for number, pair in enumerate(pairs) if _hears(pair)}
    time.sleep(0.2)
    return len(heard | {number for number, pair in enumerate(pairs) if _hears(pair)})


def _hears(pair: tuple[socket.socket, socket.socket]) -> bool:
    return len(select.select(pair, [], [], 0.01)[0]) == 2


@pytest.mark.parametrize("share", [0.05, 0.2])
@pytest.mark.parametrize("kind", KINDS)
def test_the_share_that_is_asked_for_is_lost_and_nothing_after_it(
    ends: MakeEnds, kind: str, share: float
) -> None:
    both = ends(kind)
    trouble = both.network.impair(Impairment(loss=share), (UPSTREAM,))
    sent = 40_000
    came = flood(both, sent)
    lost = sent - len(came)
    assert came == sorted(came)
    assert abs(lost / sent - share) <= 0.1 * share
    told = both.network.heal(trouble)
    assert (told.get("lost") if kind == "wire" else told[UPSTREAM]) == lost
    assert len(flood(both, 2000)) == 2000


def test_the_wire_loses_the_same_packets_with_the_same_seed(ends: MakeEnds) -> None:
    def came(seed: int) -> list[int]:
        both = ends("wire", seed=seed)
        both.network.impair(Impairment(loss=0.1), (UPSTREAM,))
        return flood(both, 1000)

    first = came(5)
    assert came(5) == first
    assert came(6) != first


def test_the_wire_can_be_changed_while_packets_are_under_way_and_loses_none_by_that(ends: MakeEnds) -> None:
    both = ends("wire")
    client, server = both.tcp()
    size, got = 400_000, bytearray()
    data = bytes(range(250)) * (size // 250)
    client.setblocking(False)
    before = both.network.wire.counts()[UPSTREAM]["packets"] if both.network.wire else 0
    sent, troubles = 0, []
    while len(got) < size:
        if sent < size:
            with contextlib.suppress(BlockingIOError):
                sent += client.send(data[sent : sent + 20_000])
        troubles.append(both.network.impair(Impairment(delay_ms=1 + len(troubles) % 5)))
        got += server.recv(65536)
        if len(troubles) > 3:
            both.network.heal(troubles.pop(0))
    assert bytes(got) == data
    assert both.network.wire is not None
    counts = both.network.wire.counts()
    assert counts[UPSTREAM]["packets"] > before
    assert not any(counts[stream].get(name) for stream in counts for name in ("lost", "overrun", "refused"))
    for trouble in troubles:
        both.network.heal(trouble)
    until = time.monotonic() + PATIENCE_S
    while len(set(_passed(both.network))) > 1:
        assert time.monotonic() < until, f"sent and received: {_passed(both.network)}"
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("asked", "how"),
    [
        ({"loss": 0.1}, "lost"),
        ({"duplicate": 0.2}, "duplicated"),
        ({"reorder": 0.2, "hold_ms": 3.0}, "reordered"),
        ({"corrupt": 0.1}, "corrupted"),
        ({"delay_ms": 5.0, "jitter_ms": 5.0}, None),
        ({"rate_bytes_s": 2_000_000.0}, None),
    ],
)
def test_tcp_gets_everything_through_an_impaired_wire(
    ends: MakeEnds, asked: dict[str, float], how: str | None
) -> None:
    both = ends("wire")
    trouble = both.network.impair(Impairment(**asked))
    client, server = both.tcp()
    data = bytes(range(251)) * 1000
    client.setblocking(False)
    sent, got = 0, bytearray()
    while len(got) < len(data):
        with contextlib.suppress(BlockingIOError):
            sent += client.send(data[sent:]) if sent < len(data) else 0
        got += server.recv(65536)
    assert bytes(got) == data
    told = both.network.heal(trouble)
    assert told["packets"] > 0
    if how is not None:
        assert told[how] > 0


def test_unnoticed_damage_reaches_the_application(ends: MakeEnds) -> None:
    both = ends("wire")
    client, server = both.tcp()
    trouble = both.network.impair(Impairment(unnoticed=1.0), (UPSTREAM,))
    client.sendall(b"\0" * 100)
    assert sum(byte.bit_count() for byte in server.recv(100)) == 1
    both.network.heal(trouble)
    client.sendall(b"\0" * 100)
    assert server.recv(100) == b"\0" * 100


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("reset", errno.ECONNREFUSED),
        ("unreachable", errno.EHOSTUNREACH),
        ("port-unreachable", errno.ECONNREFUSED),
        ("net-unreachable", errno.ENETUNREACH),
        ("prohibited", errno.EHOSTUNREACH),
        ("drop", errno.EAGAIN),
    ],
)
def test_a_blocked_port_says_what_it_was_told_to_say(ends: MakeEnds, kind: str, how: str, code: int) -> None:
    both = ends(kind)
    both.listen()
    both.listen(PORT + 1)
    trouble = both.network.block([PORT], how)
    tries, before = 1 if how == "drop" else 8, _sent_again(both.network)
    for _ in range(tries):
        assert _connect_error(both, timeout_s=0.3 if how == "drop" else PATIENCE_S) == code
    assert _connect_error(both, PORT + 1) == 0
    # Each is answered at once: the kernel sends only a few ICMP messages a second, unless told otherwise.
    met, again = both.network.heal(trouble)[UPSTREAM], _sent_again(both.network) - before
    assert met == tries + again
    assert _connect_error(both) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_connection_through_a_port_that_is_dropped_waits_and_goes_on(ends: MakeEnds, kind: str) -> None:
    both = ends(kind)
    client, server = both.tcp()
    trouble = both.network.block([PORT], "drop")
    assert not _answers(client, server, within_s=0.3)
    both.network.heal(trouble)
    server.settimeout(PATIENCE_S)
    client.settimeout(PATIENCE_S)
    assert (server.recv(4), client.recv(4)) == (b"ping", b"pong")


def test_a_connection_through_a_port_that_is_reset_ends(ends: MakeEnds) -> None:
    both = ends("veth")
    client, _ = both.tcp()
    both.network.block([PORT], "reset")
    client.sendall(b"x")
    with pytest.raises(ConnectionResetError):
        client.recv(1)


@pytest.mark.parametrize("kind", KINDS)
def test_dead_peers_are_as_many_as_was_asked_and_those_who_come_later_live(ends: MakeEnds, kind: str) -> None:
    both = ends(kind)
    listener = both.listen()
    pairs = [both.tcp(listener) for _ in range(10)]
    trouble, count = both.network.vanish(0.4)
    assert (count, _alive(pairs, 6)) == (4, 6)
    assert _answers(*both.tcp(listener))
    assert sum(both.network.heal(trouble).values()) > 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_partition_can_be_one_way(ends: MakeEnds, kind: str) -> None:
    both = ends(kind)
    client, server = both.tcp()
    trouble = both.network.part((DOWNSTREAM,))
    client.sendall(b"up")
    server.sendall(b"down")
    assert server.recv(2) == b"up"
    client.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.recv(4)
    both.network.heal(trouble)
    client.settimeout(PATIENCE_S)
    assert client.recv(4) == b"down"


def test_healing_one_of_two_leaves_the_other(ends: MakeEnds) -> None:
    both = ends("veth")
    both.listen()
    first, second = both.network.block([PORT], "reset"), both.network.block([PORT], "reset")
    both.network.heal(first)
    assert both.network.heal(first) == {UPSTREAM: 0}
    assert _connect_error(both) == errno.ECONNREFUSED
    both.network.heal(second)
    assert _connect_error(both) == 0


def test_what_fails_half_way_leaves_nothing_behind(ends: MakeEnds, monkeypatch: pytest.MonkeyPatch) -> None:
    both = ends("veth")
    both.listen()
    add = Firewall.add

    def second_fails(firewall: Firewall, condition: str, verdict: str) -> int:
        if "sport" in condition:
            raise PacketsError("no more rules")
        return add(firewall, condition, verdict)

    monkeypatch.setattr(Firewall, "add", second_fails)
    with pytest.raises(PacketsError, match="no more rules"):
        both.network.block([PORT])
    assert _connect_error(both) == 0


def test_a_wire_whose_process_has_ended_says_so(ends: MakeEnds) -> None:
    both = ends("wire")
    assert both.network.wire is not None
    os.kill(both.network.wire.pid, signal.SIGKILL)
    with pytest.raises(PacketsError, match="the carrier process"):
        both.network.impair(Impairment(loss=0.1))


@pytest.mark.parametrize(
    ("kind", "ask", "said"),
    [
        (
            "veth",
            lambda network: network.impair(Impairment(delay_ms=5)),
            'delay_ms needs a network of kind "wire"',
        ),
        ("veth", lambda network: network.forget(), 'only a network of kind "nat" forgets'),
        ("veth", lambda network: network.block([1], "burn"), "blocked by 'burn'; there are drop, reset"),
    ],
)
def test_what_a_network_cannot_do_is_said_in_one_line(
    make: Make, kind: str, ask: Callable[[Network], object], said: str
) -> None:
    with pytest.raises(PacketsError) as caught:
        ask(make(kind))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_the_privilege_the_reason_is_one_line_and_nothing_is_left(make: Make) -> None:
    make("veth")
    code = (
        "import os\n"
        "from chaos.errors import PacketsError\n"
        "from chaos.packets.network import Network\n"
        "os.setgroups([])\n"
        "os.setuid(65534)\n"
        "try: Network('wire')\n"
        "except PacketsError as error: print(os.getpid(), error)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    pid, _, reason = said.partition(" ")
    assert reason.count("\n") == 1
    assert "ermi" in reason, reason
    assert not [each for each in FOLDER.iterdir() if each.name.startswith(f"chatproof-{pid}-")]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_of_a_network_that_was_closed(make: Make, kind: str) -> None:
    network = make(kind)
    names = network.describe()["namespaces"]
    assert all((FOLDER / name).exists() for name in names)
    pid = network.wire.pid if network.wire is not None else None
    network.close()
    network.close()
    assert not any((FOLDER / name).exists() for name in names)
    assert (
        pid is None or subprocess.run(["kill", "-0", str(pid)], capture_output=True, check=False).returncode
    )
