"""`any://`: what is served behind one port, and how it is told apart; the scheduler and HTTPDNS beside it."""

import json
import socket
import ssl
import time
import urllib.error
import urllib.request
from pathlib import Path

import gevent
import pytest
from encrypted import Pem, client_context

from drivers.contract import Identity
from drivers.endpoints import parse_target
from drivers.pumps.blocking import Device
from drivers.pumps.wire import Wire
from protocol import frames, messages
from refserver.accounts.adding import generate
from refserver.accounts.issuing import tokens
from refserver.process import ServerProcess
from refserver.serve import ServeError, ServeSettings

ONE = "127.0.0.1"


@pytest.fixture(scope="module", params=[0, 1], ids=["one process", "an access process beside"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, pem: Pem):
    """Two ports that serve everything and a plain one; with the tokens of two users."""
    data: Path = tmp_path_factory.mktemp("front")
    generate(data, 6)
    tokens(data, None, 3600.0, data / "tokens.csv")
    process = ServerProcess(
        data,
        access_processes=request.param,
        friends_only=False,
        certificate=(pem.chain, pem.key),
        listen=[f"any://{ONE}:0", f"any://{ONE}:0", f"tcp://{ONE}:0"],
        resolve=["Chat.Example=10.0.0.1,10.0.0.2"],
    )
    with process:
        yield process


def port(served: ServerProcess, number: int = 0) -> int:
    return int(served.urls["any"][number].rpartition(":")[2])


def identity(served: ServerProcess, number: int, device: str = "phone") -> Identity:
    user, token = (served.data_dir / "tokens.csv").read_text().split()[number + 1].split(",")
    return Identity(user, device, token)


def ask(served: ServerProcess, path: str, number: int = 0) -> dict:
    with urllib.request.urlopen(f"http://{ONE}:{port(served, number)}{path}", timeout=60) as answer:
        return json.load(answer)


@pytest.mark.parametrize("carrier", ["tcp", "tls", "ws", "wss", "longpoll", "shortpoll"])
def test_every_carrier_gets_through_one_port(served: ServerProcess, pem: Pem, carrier: str) -> None:
    query = f"?ca={pem.ca}" if carrier in ("tls", "wss") else ""
    endpoint = parse_target(f"chat+{carrier}://{ONE}:{port(served)}{query}")
    plain = parse_target(f"chat+{served.urls['tcp'][0]}")
    ann, bob = identity(served, 0, carrier), identity(served, 1, carrier)
    with Device((endpoint,), ann) as one, Device((plain,), bob) as other:
        one.log_in()
        other.log_in()
        one.send_and_await(bob.user, f"over {carrier}".encode())
        other.await_delivered(f"over {carrier}".encode())


@pytest.mark.parametrize("size", [1, 5])
@pytest.mark.parametrize("is_secure", [False, True])
@pytest.mark.parametrize(
    "said", [frames.encode(messages.Ping()), b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"]
)
def test_it_does_not_matter_how_the_first_bytes_are_cut(
    served: ServerProcess, pem: Pem, size: int, is_secure: bool, said: bytes
) -> None:
    with socket.create_connection((ONE, port(served)), timeout=60) as connection:
        talking = connection
        if is_secure:
            talking = client_context(pem).wrap_socket(connection, server_hostname=ONE)
        for at in range(0, len(said), size):
            talking.sendall(said[at : at + size])
            time.sleep(0)
        came = talking.recv(65536)
        assert came[0] == 0xC7 if said[0] == 0xC7 else came.startswith(b"HTTP/1.1 200 OK"), came
        talking.close()


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"GET /v1/ws HTTP/1.1\r\nHost: h\r\n\r\n", b"426"),
        (b"GET /v1/wsx HTTP/1.1\r\nHost: h\r\n\r\n", b"404"),
        (b"GET /v1/w HTTP/1.1\r\nHost: h\r\n\r\n", b"404"),
        (b"\x00\x01\x02 nothing known\r\n\r\n", b"400"),
    ],
)
def test_what_only_looks_alike_is_answered_as_what_it_is(
    served: ServerProcess, said: bytes, status: bytes
) -> None:
    with socket.create_connection((ONE, port(served)), timeout=60) as connection:
        connection.sendall(said)
        assert connection.recv(65536).split(b" ")[1] == status


def test_tls_that_is_none_costs_only_its_connection(served: ServerProcess) -> None:
    with socket.create_connection((ONE, port(served)), timeout=60) as connection:
        connection.sendall(b"\x16\x03\x01\x00\x05hello" * 20)
        connection.settimeout(60)
        assert connection.recv(65536)[:1] in (b"", b"\x15")
    assert ask(served, "/healthz") == {"status": "ok"}


def test_each_access_point_is_told_with_its_own_load_the_idlest_first(served: ServerProcess) -> None:
    busy, idle = port(served, 0), port(served, 1)
    endpoints = parse_target(f"chat+tcp://{ONE}:{busy}")
    with (
        Device((endpoints,), identity(served, 2)) as one,
        Device((endpoints,), identity(served, 3)) as other,
        Device((parse_target(f"chat+ws://{ONE}:{busy}"),), identity(served, 4)) as third,
    ):
        for device in (one, other, third):
            device.log_in()
        told = ask(served, "/v1/endpoints", 1)["endpoints"]
        loads = {each["url"]: each["load"] for each in told}
        for scheme in ("tcp", "tls", "ws", "wss", "http", "https"):
            assert loads[f"{scheme}://{ONE}:{busy}"] == 3
            # The question itself is one connection.
            assert loads[f"{scheme}://{ONE}:{idle}"] == 1
        assert [each["load"] for each in told] == sorted(each["load"] for each in told)
        assert served.urls["tcp"][0] in loads
    with gevent.Timeout(60):
        while {each["load"] for each in ask(served, "/v1/endpoints", 1)["endpoints"]} != {0, 1}:
            gevent.sleep(0.02)


@pytest.mark.parametrize("name", ["chat.example", "CHAT.EXAMPLE", "chat.example."])
def test_a_name_is_resolved_over_http(served: ServerProcess, name: str) -> None:
    assert ask(served, f"/v1/resolve?name={name}") == {
        "name": "chat.example",
        "addresses": ["10.0.0.1", "10.0.0.2"],
        "ttl_s": 60,
    }


@pytest.mark.parametrize(("query", "status"), [("?name=other.example", 404), ("", 400), ("?name=", 400)])
def test_a_name_that_is_not_known_is_a_problem(served: ServerProcess, query: str, status: int) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(served, f"/v1/resolve{query}")
    assert refused.value.code == status
    assert refused.value.headers["Content-Type"] == "application/problem+json"


def test_a_wildcard_is_told_as_the_address_that_was_reached(tmp_path: Path) -> None:
    with ServerProcess(tmp_path, listen=["any://0.0.0.0:0"]) as process:
        at = port(process)
        with urllib.request.urlopen(f"http://127.0.0.7:{at}/v1/endpoints", timeout=60) as answer:
            urls = {each["url"] for each in json.load(answer)["endpoints"]}
        assert urls == {f"{scheme}://127.0.0.7:{at}" for scheme in ("tcp", "ws", "http")}


def test_without_a_certificate_tls_is_hung_up_on(tmp_path: Path) -> None:
    with ServerProcess(tmp_path, listen=[f"any://{ONE}:0"]) as process:
        with (
            socket.create_connection((ONE, port(process)), timeout=60) as connection,
            pytest.raises((ssl.SSLError, OSError)),
        ):
            ssl.create_default_context().wrap_socket(connection, server_hostname=ONE)
        with Wire(parse_target(f"chat+tcp://{ONE}:{port(process)}")) as wire:
            wire.send(messages.Ping())
            assert wire.expect(messages.Error).code == 401
            assert wire.expect_closed() == []
        assert process.stop() == 0


@pytest.mark.parametrize("entry", ["chat.example", "=10.0.0.1", "chat.example=", "chat.example=ten"])
def test_a_wrong_resolve_is_one_line(tmp_path: Path, entry: str) -> None:
    with pytest.raises(ServeError, match=r"^--resolve .*"):
        ServeSettings(listen=[f"any://{ONE}:0"], data_dir=tmp_path, resolve=[entry]).check()
