"""Each toxic between real sockets, and what adding, changing and removing does to live connections."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable

import pytest

from chaos.control import ToxiproxyControl
from chaos.errors import ToxiproxyError
from protocol.frames import encode
from protocol.messages import Ping, Pong
from tests.chaos.conftest import PATIENCE_S, Line, receive, receive_all


def _has_nothing(end: socket.socket) -> bool:
    """True while nothing can be read; what may come later is not waited for."""
    end.setblocking(False)
    try:
        return not end.recv(1, socket.MSG_PEEK) and False
    except BlockingIOError:
        return True
    finally:
        end.settimeout(PATIENCE_S)


def _echo(client: socket.socket, server: socket.socket, data: bytes = b"?") -> None:
    """Both directions carry data now."""
    client.sendall(data)
    assert receive(server, len(data)) == data
    server.sendall(data)
    assert receive(client, len(data)) == data


def _fill(client: socket.socket) -> int:
    """How many bytes were taken until nobody took any more."""
    client.settimeout(0.5)
    sent = 0
    try:
        while True:
            sent += client.send(bytes(65536))
            assert sent < 64 * 2**20, "somebody keeps it all in memory"
    except TimeoutError:
        return sent
    finally:
        client.settimeout(PATIENCE_S)


def test_bytes_pass_both_ways_unchanged(line: Line) -> None:
    client, server = line.connect()
    sent = bytes(range(256)) * 8192
    sender = threading.Thread(target=client.sendall, args=(sent,))
    sender.start()
    assert receive(server, len(sent)) == sent
    sender.join()
    server.sendall(sent[:1000])
    assert receive(client, 1000) == sent[:1000]


def test_the_end_of_one_direction_closes_both(line: Line) -> None:
    client, server = line.connect()
    client.sendall(b"last words")
    client.shutdown(socket.SHUT_WR)
    assert receive_all(server) == b"last words"
    assert client.recv(1) == b""


def test_an_upstream_that_refuses_is_seen_as_an_immediate_end(
    control: ToxiproxyControl, reserved_port: Callable[[], int]
) -> None:
    listen = control.create_proxy("nobody", "127.0.0.1:0", f"127.0.0.1:{reserved_port()}")
    try:
        with socket.create_connection(("127.0.0.1", int(listen.split(":")[1])), timeout=PATIENCE_S) as client:
            assert client.recv(1) == b""
    finally:
        control.delete_proxy("nobody")


@pytest.mark.parametrize("upstream", ["nonsense", "127.0.0.1:99999", "no.such.host.invalid:1"])
def test_an_upstream_that_makes_no_sense_ends_connections_only(
    control: ToxiproxyControl, upstream: str
) -> None:
    listen = control.create_proxy("nonsense", "127.0.0.1:0", upstream)
    try:
        with socket.create_connection(("127.0.0.1", int(listen.split(":")[1])), timeout=PATIENCE_S) as client:
            assert client.recv(1) == b""
    finally:
        control.delete_proxy("nonsense")


def test_an_upstream_named_by_name_is_reached(control: ToxiproxyControl) -> None:
    with socket.create_server(("127.0.0.1", 0)) as upstream:
        name = f"localhost:{upstream.getsockname()[1]}"
        listen = control.create_proxy("named", "127.0.0.1:0", name)
        with socket.create_connection(("127.0.0.1", int(listen.split(":")[1])), timeout=PATIENCE_S) as client:
            upstream.settimeout(PATIENCE_S)
            server, _ = upstream.accept()
            with server:
                _echo(client, server)
        control.delete_proxy("named")


def test_an_upstream_that_does_not_answer_holds_nobody_up(control: ToxiproxyControl, line: Line) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        listen = control.create_proxy("hole", "127.0.0.1:0", f"127.0.0.1:{address[1]}")
        waiting = [socket.create_connection(("127.0.0.1", int(listen.split(":")[1]))) for _ in range(5)]
        _echo(*line.connect())
        control.delete_proxy("hole")
        for each in waiting:
            each.settimeout(PATIENCE_S)
            assert each.recv(1) == b"", "the way to nowhere is closed with its proxy"
        for each in (*waiting, *fillers):
            each.close()


def test_a_reader_that_does_not_read_stops_the_writer(line: Line) -> None:
    client, server = line.connect()
    sent = _fill(client)
    client.shutdown(socket.SHUT_WR)
    assert len(receive_all(server)) == sent


def test_a_stalled_toxic_stops_the_writer_and_loses_nothing(line: Line) -> None:
    client, server = line.connect()
    name = line.add("bandwidth", rate=0)
    sent = _fill(client)
    client.shutdown(socket.SHUT_WR)
    line.remove(name)
    assert len(receive_all(server)) == sent


def test_control_calls_do_not_wait_for_a_stuck_destination(line: Line) -> None:
    client, _ = line.connect()
    name = line.add("latency", latency=0)
    _fill(client)
    line.remove(name)
    line.remove(line.add("bandwidth", rate=0))
    assert line.control.proxies()[line.proxy].toxics == ()


def test_latency_holds_back_until_it_is_removed(line: Line) -> None:
    client, server = line.connect()
    name = line.add("latency", latency=3_600_000)
    client.sendall(b"late")
    _echo_down(client, server)
    assert _has_nothing(server)
    line.remove(name)
    assert receive(server, 4) == b"late"


def _echo_down(client: socket.socket, server: socket.socket) -> None:
    server.sendall(b"!")
    assert receive(client, 1) == b"!"


def test_latency_delays_in_time(line: Line) -> None:
    client, server = line.connect()
    line.add("latency", latency=50)
    started = time.monotonic()
    client.sendall(b"x")
    assert receive(server, 1) == b"x"
    assert time.monotonic() - started >= 0.05, "never early"


def test_a_stalled_connection_goes_on_where_the_rate_is_raised(line: Line) -> None:
    client, server = line.connect()
    name = line.add("bandwidth", rate=0)
    client.sendall(b"x" * 1000)
    _echo_down(client, server)
    assert _has_nothing(server)
    line.control.update_toxic(line.proxy, name, {"rate": 1000})
    assert receive(server, 1000) == b"x" * 1000


def test_slow_close_ends_at_once_when_it_is_removed(line: Line) -> None:
    client, server = line.connect()
    name = line.add("slow_close", delay=3_600_000)
    client.sendall(b"bye")
    client.shutdown(socket.SHUT_WR)
    assert receive(server, 3) == b"bye"
    assert _has_nothing(server)
    line.remove(name)
    assert server.recv(1) == b""


def test_timeout_drops_then_closes(line: Line) -> None:
    client, server = line.connect()
    line.add("timeout", timeout=50)
    client.sendall(b"gone")
    assert receive_all(server) == b""
    assert client.recv(1) == b""


@pytest.mark.parametrize("end", ["remove", "reset"])
def test_the_removal_of_timeout_closes_its_connections(line: Line, end: str) -> None:
    client, server = line.connect()
    name = line.add("timeout")
    client.sendall(b"gone")
    _echo_down(client, server)
    line.control.reset() if end == "reset" else line.remove(name)
    assert receive_all(server) == b""


@pytest.mark.parametrize("first", ["connection", "toxic"])
def test_reset_peer_resets_both_sides(line: Line, first: str) -> None:
    if first == "toxic":
        line.add("reset_peer")
    client, server = line.connect()
    if first == "connection":
        line.add("reset_peer")
    client.sendall(b"x")
    for end in (server, client):
        with pytest.raises(ConnectionResetError):
            end.recv(1)


def test_a_spared_connection_closes_in_order_beside_reset_peer(line: Line) -> None:
    line.add("reset_peer", toxicity=0.0)
    client, server = line.connect()
    _echo(client, server)
    client.close()
    assert server.recv(1) == b""


def test_slicer_keeps_every_byte(line: Line) -> None:
    client, server = line.connect()
    line.add("slicer", average_size=7, size_variation=6, delay=10)
    sent = bytes(range(256)) * 4
    client.sendall(sent)
    client.shutdown(socket.SHUT_WR)
    assert receive_all(server) == sent


def test_limit_data_passes_its_bytes_then_closes_both_sides(line: Line) -> None:
    client, server = line.connect()
    line.add("limit_data", bytes=10)
    client.sendall(b"1234567")
    assert receive(server, 7) == b"1234567"
    client.sendall(b"890abc")
    assert receive_all(server) == b"890"
    assert client.recv(1) == b""


def test_a_toxic_acts_on_its_own_direction_only(line: Line) -> None:
    client, server = line.connect()
    line.add("timeout", stream="downstream")
    client.sendall(b"up")
    assert receive(server, 2) == b"up"


def test_frame_loss_of_everything_drops_whole_frames_and_nothing_else(line: Line) -> None:
    client, server = line.connect()
    ping, pong = encode(Ping(30)), encode(Pong(1, 30))
    client.sendall(ping[:5])
    assert receive(server, 5) == ping[:5]
    name = line.add("frame_loss", probability=1.0)
    client.sendall(ping[5:] + ping + ping + pong[:6])
    assert receive(server, len(ping) - 5) == ping[5:]
    _echo_down(client, server)
    counts = line.control.toxic(line.proxy, name)["counts"]
    assert counts == {"frames": 2, "dropped": 2}
    assert _has_nothing(server)
    line.remove(name)
    client.sendall(pong[6:])
    assert receive(server, len(pong)) == pong, "the frame that was held is whole"


def test_frame_loss_begins_at_a_frame_behind_other_toxics(line: Line) -> None:
    client, server = line.connect()
    frame = struct.pack(">BBBBI", 0xC7, 0x10, 0, 0, 1000) + encode(Ping(30)) * 100 + bytes(200)
    frame = frame[: 8 + 1000]
    line.add("latency", latency=20)
    client.sendall(frame[:500])
    line.add("frame_loss", probability=1.0)
    client.sendall(frame[500:] + frame)
    client.shutdown(socket.SHUT_WR)
    left = receive_all(server)
    assert left in (b"", frame), "a frame of which something passed passes whole"


def _kept(line: Line, data: bytes) -> bytes:
    client, server = line.connect()
    client.sendall(data)
    client.shutdown(socket.SHUT_WR)
    return receive_all(server)


def test_frame_loss_repeats_itself_connection_by_connection(line: Line) -> None:
    data = b"".join(encode(Pong(number, 30)) for number in range(300))
    runs = []
    for _ in range(2):
        line.add("frame_loss", probability=0.5, seed=3)
        runs.append([_kept(line, data), _kept(line, data)])
        line.recreate()
    assert runs[0] == runs[1], "the same in each run"
    assert runs[0][0] != runs[0][1], "each connection draws its own"
    assert 0 < len(runs[0][0]) < len(data)


def test_toxicity_spares_about_as_many_connections_as_asked_for(line: Line) -> None:
    line.add("limit_data", toxicity=0.5, bytes=0)
    cut = 0
    for _ in range(60):
        client, server = line.connect()
        client.sendall(b"x")
        cut += server.recv(1) == b""
    assert 10 < cut < 50


def test_a_disabled_proxy_closes_everything_and_keeps_its_port(line: Line) -> None:
    client, server = line.connect()
    line.control.set_enabled(line.proxy, False)
    assert client.recv(1) == b""
    assert server.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        line.connect()
    line.control.set_enabled(line.proxy, True)
    _echo(*line.connect())


def test_many_connections_take_a_toxic_and_its_removal_together(line: Line) -> None:
    pairs = [line.connect() for _ in range(200)]
    name = line.add("latency", latency=3_600_000)
    for client, _ in pairs:
        client.sendall(b"held")
    for client, server in pairs:
        _echo_down(client, server)
        assert _has_nothing(server)
    line.remove(name)
    for _, server in pairs:
        assert receive(server, 4) == b"held"


def test_bytes_that_were_written_before_a_reset_by_the_peer_are_not_held(line: Line) -> None:
    client, server = line.connect()
    line.add("bandwidth", rate=0)
    client.sendall(b"x" * 100_000)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    with contextlib.suppress(ConnectionError):  # it may have heard of the end already
        server.sendall(b"anybody there?")
    line.control.reset()
    receive_all_or_reset(server)


def receive_all_or_reset(end: socket.socket) -> bytes:
    try:
        return receive_all(end)
    except ConnectionResetError:
        return b""


def test_a_toxic_for_some_clients_leaves_the_others_alone(line: Line) -> None:
    before = [line.connect("127.0.0.2"), line.connect("127.0.0.3")]
    name = line.control.add_toxic(
        line.proxy, "timeout", stream="upstream", clients="127.0.0.2, 10.0.0.0/8", duration_ms=3_600_000
    )
    line.control.update_toxic(line.proxy, name, {"timeout": 0})
    for meant, spared in (before, [line.connect("127.0.0.2"), line.connect("127.0.0.3")]):
        for client, server in (meant, spared):
            client.sendall(b"x")
            _echo_down(client, server)
        assert _has_nothing(meant[1])
        assert receive(spared[1], 1) == b"x"
    line.remove(name)
    assert before[0][0].recv(1) == b"", "closed, as the removal of this toxic does"
    _echo(*before[1])


def test_a_toxic_with_a_duration_ends_by_itself(line: Line) -> None:
    client, server = line.connect()
    line.control.add_toxic(
        line.proxy, "latency", stream="upstream", attributes={"latency": 3_600_000}, duration_ms=100
    )
    client.sendall(b"late")
    assert receive(server, 4) == b"late"
    assert line.control.proxies()[line.proxy].toxics == ()


def test_a_duration_that_is_taken_back_ends_nothing(line: Line) -> None:
    duration_ms = _taken_back(line, "stays")
    client, server = line.connect()
    line.control.add_toxic(
        line.proxy, "latency", attributes={"latency": 3_600_000}, duration_ms=2 * duration_ms
    )
    _echo(client, server)  # comes when the second has ended
    assert line.control.proxies()[line.proxy].toxics == ("stays",)


def _taken_back(line: Line, name: str) -> int:
    """How short the duration was; where a machine stood still until it was over, it is longer next time."""
    for duration_ms in (100, 1_000, 10_000):
        line.control.add_toxic(line.proxy, "noop", name=name, duration_ms=duration_ms)
        try:
            line.control.update_toxic(line.proxy, name, {}, duration_ms=0)
            return duration_ms
        except ToxiproxyError as error:
            if error.status != 404:
                raise
    raise AssertionError("it could not be taken back within 10 s")


def test_a_duplicated_frame_comes_twice_within_a_websocket(line: Line) -> None:
    client, server = line.connect()
    line.add("frame_duplicate", probability=1.0, types="ping")
    head = b"GET /v1/ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"
    key = bytes(4)
    ping, pong = (
        bytes([0x82, 0x80 | len(frame)]) + key + frame for frame in (encode(Ping()), encode(Pong(1, 30)))
    )
    client.sendall(head + ping + pong)
    client.shutdown(socket.SHUT_WR)
    assert receive_all(server) == head + ping + ping + pong
