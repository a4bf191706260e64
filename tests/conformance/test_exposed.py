"""Bare connections under a fault plan: what a fault broke says so, and what the server did stays its own."""

import errno
import http.client
import json
import time
from collections.abc import Callable, Iterator

import gevent
import gevent.server
import gevent.socket
import pytest

from chaos.fault_plan import load_fault_plan
from chaos.schedule import FaultRecord
from conformance.exposed import BrokenByPlan, ExposedWeb, ExposedWire, Life
from conformance.weather import Weather
from drivers.endpoints import Endpoint, parse_target
from drivers.pumps.wire import Expected
from protocol import frames
from protocol.messages import Error, Login, Ping, Pong

pytest_plugins = ("pytester",)

Socket = gevent.socket.socket
Serve = Callable[[Callable[[Socket], None]], Endpoint]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """`serve(talk)`: an access point where `talk` has each connection, which is closed behind it."""
    servers: list[gevent.server.StreamServer] = []

    def begin(talk: Callable[[Socket], None]) -> Endpoint:
        server = gevent.server.StreamServer(("127.0.0.1", 0), lambda client, _: talk(client))
        server.start()
        servers.append(server)
        return parse_target(f"chat+tcp://127.0.0.1:{server.server_port}")

    yield begin
    for server in servers:
        server.stop(0)


@pytest.fixture
def weather() -> Weather:
    return Weather(load_fault_plan("subway"), 1, None, lambda process: pytest.fail("no server was wanted"))


def record(name: str, *, over_for_s: float | None = None, begun_s: float = 0.0) -> FaultRecord:
    """A fault that began that long ago, and is over for that long; None while it is on."""
    now = time.monotonic()
    end_ns = None if over_for_s is None else int((now - over_for_s) * 1e9)
    return FaultRecord(name, "*", {"summary": name}, int((now - begun_s) * 1e9), end_ns)


def hang_up(client: Socket) -> None:
    client.recv(100)


def test_an_end_while_packets_get_lost_is_the_servers(serve: Serve, weather: Weather) -> None:
    weather.records += [record(name) for name in ("loss", "partition", "slow_disk", "dead_peer", "handover")]
    with ExposedWire(serve(hang_up), weather, "phone") as wire:
        wire.send(Ping())
        assert wire.next() is None


def test_what_meets_clients_or_ports_elsewhere_explains_no_end(serve: Serve) -> None:
    office = Weather(load_fault_plan("office-firewall"), 1, None, lambda process: pytest.fail("no server"))
    office.records += [record("new_network", over_for_s=0.0), record("block_port")]
    with ExposedWire(serve(hang_up), office, "phone") as wire:
        wire.send(Ping())
        assert wire.next() is None


def test_an_end_after_a_kill_is_the_plans(serve: Serve, weather: Weather) -> None:
    with ExposedWire(serve(hang_up), weather, "u1/phone") as wire:
        weather.records.append(record("kill", over_for_s=0.0))
        wire.send(Ping())
        with pytest.raises(BrokenByPlan, match="u1/phone: the connection ended, kill begun"):
            wire.next()


def test_an_end_that_was_asked_for_is_the_plans_too(serve: Serve, weather: Weather) -> None:
    with ExposedWire(serve(hang_up), weather, "phone") as wire:
        weather.records.append(record("kill", over_for_s=0.0))
        wire.send(Ping())
        with pytest.raises(BrokenByPlan):
            wire.expect_closed()


def test_a_kill_before_the_connection_was_made_explains_nothing(serve: Serve, weather: Weather) -> None:
    weather.records.append(record("kill", over_for_s=1.0, begun_s=2.0))
    with ExposedWire(serve(hang_up), weather, "phone") as wire:
        wire.send(Ping())
        assert wire.next() is None


def test_a_connection_that_is_refused_after_a_kill_is_the_plans(serve: Serve, weather: Weather) -> None:
    with Socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        refusing = parse_target(f"chat+tcp://127.0.0.1:{nobody.getsockname()[1]}")
        with pytest.raises(ConnectionRefusedError):
            ExposedWire(refusing, weather, "phone")
        weather.records.append(record("kill", over_for_s=1.0, begun_s=2.0))
        with pytest.raises(BrokenByPlan):
            ExposedWire(refusing, weather, "phone")


def test_who_was_not_heard_for_an_interval_is_ended_by_the_plan(serve: Serve, weather: Weather) -> None:
    weather.records.append(record("partition"))
    for heartbeat_s, silent_s, is_broken in ((1, 1.6, True), (1, 1.0, False), (60, 1.6, False)):
        with ExposedWire(serve(hang_up), weather, "phone") as wire:
            wire.send(Login("token", "phone", "test", 0, heartbeat_s))
            wire._life.heard_at -= silent_s
            if is_broken:
                with pytest.raises(BrokenByPlan, match="unheard for"):
                    wire.next()
            else:
                assert wire.next() is None


def test_the_end_of_who_has_nothing_to_say_is_the_servers(serve: Serve, weather: Weather) -> None:
    def answer_and_hang_up(client: Socket) -> None:
        client.recv(100)
        client.sendall(frames.encode(Pong(7, 1)))

    weather.records.append(record("partition"))
    with ExposedWire(serve(answer_and_hang_up), weather, "phone") as wire:
        wire.send(Ping(1))
        assert wire.next() == Pong(7, 1)
        wire._life.said_at -= 10.0
        wire._life.heard_at -= 9.0
        assert wire.next() is None


def test_a_server_that_ends_the_silent_without_a_fault_is_not_excused(serve: Serve, weather: Weather) -> None:
    with ExposedWire(serve(hang_up), weather, "phone") as wire:
        wire.send(Login("token", "phone", "test", 0, 1))
        wire._life.heard_at -= 10.0
        assert wire.next() is None


def test_what_is_not_said_over_a_connection_that_works_is_the_servers(serve: Serve, weather: Weather) -> None:
    def keep(client: Socket) -> None:
        while client.recv(100):
            """Nothing is said."""

    weather.records += [record("kill"), record("partition")]
    with ExposedWire(serve(keep), weather, "phone") as wire:
        wire.send(Ping())
        with pytest.raises(Expected):
            wire.expect(Pong, 0.01)


def test_what_was_said_before_the_end_is_heard(serve: Serve, weather: Weather) -> None:
    def answer(client: Socket) -> None:
        client.recv(100)
        client.sendall(frames.encode(Pong(7, 60)))

    with ExposedWire(serve(answer), weather, "phone") as wire:
        weather.records.append(record("kill", over_for_s=0.0))
        wire.send(Ping())
        assert wire.next() == Pong(7, 60)
        with pytest.raises(BrokenByPlan):
            wire.next()


def test_a_router_that_refuses_what_it_has_forgotten_ends_connections(weather: Weather) -> None:
    life = Life()
    life.is_made = True
    weather.records.append(record("handover"))
    assert weather.cause(life, None) is None
    weather.plan.nat = "reset"
    assert weather.cause(life, None) is not None


def test_the_systems_word_that_nothing_comes_back_needs_no_record(weather: Weather) -> None:
    assert weather.cause(Life(), OSError(errno.ETIMEDOUT, "Connection timed out")) is not None
    assert weather.cause(Life(), OSError(errno.ECONNRESET, "Connection reset by peer")) is None
    assert weather.cause(Life(), TimeoutError("timed out")) is None


def test_a_request_that_a_kill_interrupts_is_the_plans(serve: Serve, weather: Weather) -> None:
    url = f"http://127.0.0.1:{serve(hang_up).port}"
    with ExposedWeb(url, None, "browser", weather, ca=None, hear=lambda *said: None) as web:
        with pytest.raises(http.client.RemoteDisconnected):
            web.call("GET", "/v1/inbox")
        weather.records.append(record("kill"))
        with pytest.raises(BrokenByPlan, match="browser over HTTP"):
            web.call("GET", "/v1/inbox")


def test_a_tunnel_whose_requests_come_to_nothing_is_broken_by_what_was_on(
    serve: Serve, weather: Weather
) -> None:
    tunnel = parse_target(f"chat+longpoll://127.0.0.1:{serve(hang_up).port}")
    with ExposedWire(tunnel, weather, "phone") as wire:
        wire.send(Login("token", "phone", "test"))
        assert isinstance(wire.next(), Error)
    weather.records.append(record("web_only"))
    with ExposedWire(tunnel, weather, "phone") as wire:
        wire.send(Login("token", "phone", "test"))
        with pytest.raises(BrokenByPlan, match="web_only"):
            wire.next()


UNDER = """
import pytest
from chaos.fault_plan import load_fault_plan
from conformance import together
from conformance.target import target_key
from conformance.weather import Weather

together.PAUSE_S = 0.0

@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    plan = load_fault_plan("calm.toml")
    config.stash[target_key].weather = Weather(plan, 1, None, lambda process: None)
"""

TRIED = """
from collections import Counter
import pytest
from conformance.exposed import BrokenByPlan
from drivers.pumps.wire import Expected

pytestmark = pytest.mark.clause("DLV.1")
tries = Counter()

def test_is_broken_twice(block, phone):
    tries["broken"] += 1
    phone(block.users[0])
    if tries["broken"] < 3:
        raise BrokenByPlan(f"phone: reset number {tries['broken']}")

def test_is_broken_each_time(block):
    raise BrokenByPlan("phone: reset")

def test_is_wrong_the_first_time(block):
    tries["wrong"] += 1
    assert tries["wrong"] > 1, "expected it to be right at once"

def test_hears_nothing_the_first_time(block):
    tries["silent"] += 1
    if tries["silent"] == 1:
        raise Expected("expected SENT; came: nothing")

def test_is_cut_off_by_nobody_knows_whom(block):
    tries["cut"] += 1
    if tries["cut"] == 1:
        raise ConnectionResetError("Connection reset by peer")

def test_is_wrong_after_it_was_broken(block):
    tries["both"] += 1
    if tries["both"] == 1:
        raise BrokenByPlan("phone: reset")
    assert tries["both"] > 2, "expected it to be right then"
"""


def test_only_what_a_fault_broke_is_tried_again(pytester: pytest.Pytester) -> None:
    pytester.makefile(".toml", calm='about = "nothing happens"\n[[phase]]\nname = "all"\nduration = "5s"\n')
    pytester.makepyfile(test_some=TRIED, under=UNDER)
    pytester.syspathinsert()
    pytester.runpytest_subprocess("-p", "conformance.plugin", "-p", "under", "--tell", "told.jsonl")
    told = map(json.loads, (pytester.path / "told.jsonl").read_text().splitlines())
    cases = {case["name"].rpartition("::")[2]: case for case in told}
    verdicts = {name: case["verdict"] for name, case in cases.items()}
    assert verdicts == {
        "test_is_broken_twice": "pass",
        "test_is_broken_each_time": "unknown",
        "test_is_wrong_the_first_time": "fail",
        "test_hears_nothing_the_first_time": "fail",
        "test_is_cut_off_by_nobody_knows_whom": "fail",
        "test_is_wrong_after_it_was_broken": "fail",
    }
    assert cases["test_is_broken_twice"]["notes"] == [
        "try 1: phone: reset number 1",
        "try 2: phone: reset number 2",
    ]
    assert "in each of 5 tries" in cases["test_is_broken_each_time"]["message"]
