"""Other people's clients, as they are published, against our Toxiproxy.

Neither package on its registry contains the tests of its repository, so these are ours.
"""

import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import toxiproxy
from toxiproxy.api import APIConsumer
from toxiproxy.exceptions import InvalidToxic, NotFound, ProxyExists

from tests.chaos.conftest import PATIENCE_S, receive

NODE_CLIENT = "toxiproxy-node-client@4.1.0"
_HERE = Path(__file__).parent
_LIMIT_S = 120


@pytest.fixture
def python(toxiproxy_url: str) -> Iterator["toxiproxy.Toxiproxy"]:
    """toxiproxy-python: one server for the whole process."""
    address, before = urlsplit(toxiproxy_url), (APIConsumer.host, APIConsumer.port)
    client = toxiproxy.Toxiproxy()
    client.update_api_consumer(address.hostname, address.port)
    client.destroy_all()
    yield client
    client.destroy_all()
    client.update_api_consumer(*before)


@pytest.fixture
def upstream() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.settimeout(PATIENCE_S)
        yield made


def _to(upstream: socket.socket) -> str:
    return f"127.0.0.1:{upstream.getsockname()[1]}"


def _refuses(listen: str) -> bool:
    host, port = listen.split(":")
    with socket.socket() as client:
        return client.connect_ex((host, int(port))) != 0


def test_python_creates_finds_lists_and_destroys(python: "toxiproxy.Toxiproxy") -> None:
    made = python.create(upstream="localhost:3306", name="mysql")
    assert made.listen.startswith("127.0.0.1:")
    assert (made.enabled, python.get_proxy("mysql").upstream) == (True, "localhost:3306")
    assert list(python.proxies()) == ["mysql"]
    with pytest.raises(ProxyExists):
        python.create(upstream="localhost:3306", name="mysql")
    assert python.destroy(made) is True
    assert python.get_proxy("mysql") is None
    with pytest.raises(NotFound):
        made.destroy()


def test_python_takes_a_proxy_down_and_brings_it_back_at_its_port(
    python: "toxiproxy.Toxiproxy", upstream: socket.socket
) -> None:
    made = python.create(upstream=_to(upstream), name="p", enabled=False, listen="127.0.0.1:0")
    assert made.enabled is False
    made.enable()
    listen = python.get_proxy("p").listen
    with made.down():
        assert _refuses(listen)
    assert not _refuses(listen)
    assert python.get_proxy("p").listen == listen


def test_python_adds_toxics_that_act_and_destroys_them(
    python: "toxiproxy.Toxiproxy", upstream: socket.socket
) -> None:
    made = python.create(upstream=_to(upstream), name="p")
    made.add_toxic(type="limit_data", stream="upstream", attributes={"bytes": 3})
    made.add_toxic(type="latency", attributes={"latency": 10})
    made.add_toxic(type="latency", attributes={"latency": 10}, name="second", toxicity=0.5)
    assert list(made.toxics()) == ["limit_data_upstream", "latency_downstream", "second"]
    assert made.get_toxic("latency_downstream").attributes["latency"] == 10
    assert made.get_toxic("second").toxicity == 0.5
    host, port = made.listen.split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as client:
        server, _ = upstream.accept()
        with server:
            client.sendall(b"123456")
            assert receive(server, 9) == b"123"
    assert made.destroy_toxic("limit_data_upstream") is True
    assert made.get_toxic("limit_data_upstream") is None
    with pytest.raises(InvalidToxic):
        made.add_toxic(type="latency", stream="sideways")
    with pytest.raises(NotFound):
        made.destroy_toxic("third")


def test_python_populates_and_resets(python: "toxiproxy.Toxiproxy") -> None:
    one, two = python.populate(
        [{"name": name, "upstream": "localhost:1", "listen": "127.0.0.1:0"} for name in ("one", "two")]
    )
    one.add_toxic(type="timeout")
    two.disable()
    assert python.reset() is True
    assert one.toxics() == {}
    assert python.get_proxy("two").enabled is True
    assert python.running() is True
    assert b'"version"' in python.version()


@pytest.fixture(scope="module")
def node_modules(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Where npm has installed the client, which depends on nothing."""

    def install(npm: str) -> Path:
        folder = tmp_path_factory.mktemp("node")
        done = subprocess.run(
            [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", NODE_CLIENT],
            capture_output=True,
            text=True,
            timeout=_LIMIT_S,
        )
        if done.returncode:
            pytest.skip(f"needs {NODE_CLIENT}, which npm could not get: {done.stderr.strip()[-300:]}")
        return folder / "node_modules"

    return install


def test_node_finds_everything_that_it_knows(
    requires: Callable[[str], str], node_modules: Callable[[str], Path], toxiproxy_url: str
) -> None:
    node, modules = requires("node"), node_modules(requires("npm"))
    done = subprocess.run(
        [node, str(_HERE / "foreign_client.js"), toxiproxy_url],
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        env={**os.environ, "NODE_PATH": str(modules)},
    )
    assert (done.returncode, done.stdout) == (0, "7 claims hold\n"), done.stderr
