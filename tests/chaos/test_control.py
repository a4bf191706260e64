"""The wrapper over toxiproxy-python, and the package itself against our server."""

import socket
import threading
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from toxiproxy import Toxiproxy
from toxiproxy.api import APIConsumer
from toxiproxy.exceptions import InvalidToxic, NotFound, ProxyExists

from chaos.control import ToxiproxyControl
from chaos.errors import ToxiproxyError
from tests.chaos.conftest import Line


@pytest.fixture
def package(toxiproxy_url: str) -> Iterator[Toxiproxy]:
    host, port = APIConsumer.host, APIConsumer.port
    parts = urlsplit(toxiproxy_url)
    server = Toxiproxy()
    server.update_api_consumer(parts.hostname, parts.port)
    yield server
    server.destroy_all()
    server.update_api_consumer(host, port)


def test_the_package_finds_the_server_it_expects(package: Toxiproxy) -> None:
    assert package.running()
    assert b"2.12.0" in package.version()
    proxy = package.create(name="redis", upstream="127.0.0.1:6379")
    assert proxy.enabled
    assert list(package.proxies()) == ["redis"]
    proxy.add_toxic(type="latency", attributes={"latency": 1000})
    assert proxy.get_toxic("latency_downstream").attributes == {"latency": 1000, "jitter": 0}
    proxy.add_toxic(type="frame_loss", name="lossy", stream="upstream", attributes={"probability": 0.1})
    assert set(proxy.toxics()) == {"latency_downstream", "lossy"}
    proxy.destroy_toxic("latency_downstream")
    with proxy.down():
        assert not package.get_proxy("redis").enabled
    assert package.get_proxy("redis").enabled
    assert package.reset()
    assert proxy.toxics() == {}
    assert proxy.destroy()
    assert package.proxies() == {}


def test_the_package_gets_the_errors_it_knows(package: Toxiproxy) -> None:
    proxy = package.create(name="one", upstream="127.0.0.1:1")
    with pytest.raises(ProxyExists):
        package.create(name="one", upstream="127.0.0.1:1")
    with pytest.raises(InvalidToxic):
        proxy.add_toxic(type="latency", stream="sideways")
    with pytest.raises(NotFound):
        proxy.destroy_toxic("none")


def test_the_package_populates(package: Toxiproxy) -> None:
    items = [{"name": name, "upstream": "127.0.0.1:1"} for name in ("a", "b")]
    assert [proxy.name for proxy in package.populate(items)] == ["a", "b"]


def test_control_shows_what_the_server_has(line: Line) -> None:
    name = line.add("latency", latency=3)
    state = line.control.proxies()[line.proxy]
    assert (state.listen, state.enabled, state.toxics) == (line.listen, True, (name,))
    line.control.update_toxic(line.proxy, name, {"jitter": 1}, toxicity=0.5)
    assert line.control.toxic(line.proxy, name)["attributes"] == {"latency": 3, "jitter": 1}
    line.remove(name)
    assert line.control.proxies()[line.proxy].toxics == ()
    assert line.control.version() == "2.12.0"


def test_names_with_spaces_and_signs_are_no_trouble(control: ToxiproxyControl) -> None:
    control.create_proxy("a b?#é", "127.0.0.1:0", "127.0.0.1:1")
    control.set_enabled("a b?#é", False)
    assert not control.proxies()["a b?#é"].enabled
    control.delete_proxy("a b?#é")


def test_what_the_server_refuses_is_one_line_with_its_status(line: Line) -> None:
    for call, status, text in (
        (lambda: line.control.remove_toxic(line.proxy, "none"), 404, "toxic not found"),
        (lambda: line.control.set_enabled("nobody", True), 404, "proxy not found"),
        (lambda: line.add("bandwidth", rate=-1), 400, "rate must not be negative"),
        (lambda: line.control.create_proxy(line.proxy, "", "x"), 409, "already exists"),
        (lambda: line.control.create_proxy("new", "bogus", "x"), 500, "missing port"),
    ):
        with pytest.raises(ToxiproxyError, match=text) as caught:
            call()
        assert caught.value.status == status
        assert "\n" not in str(caught.value)


def test_a_toxic_that_the_server_lacks_is_named_with_where_to_get_it(line: Line) -> None:
    with pytest.raises(ToxiproxyError, match=r"has no toxic 'packet_loss'; `chatproof toxiproxy`"):
        line.add("packet_loss")


def test_a_server_that_is_not_there_is_named(reserved_port: Callable[[], int]) -> None:
    port = reserved_port()
    with pytest.raises(
        ToxiproxyError, match=f"no answer from the Toxiproxy at http://127.0.0.1:{port}: conn"
    ):
        ToxiproxyControl(f"http://127.0.0.1:{port}").proxies()


def test_a_server_that_does_not_answer_is_left_after_the_limit() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(ToxiproxyError, match="time limit passed"),
    ):
        ToxiproxyControl(f"127.0.0.1:{silent.getsockname()[1]}", limit_s=0.1).reset()


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "does not answer like a Toxiproxy"),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"a": []}', "does not describe proxies"),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy", "503 busy"),
        (b"HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno", "no"),
        (b"nonsense\r\n\r\n", "no answer"),
    ],
)
def test_a_server_that_is_no_toxiproxy_is_an_error_of_one_line(answer: bytes, text: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:

        def reply() -> None:
            connection, _ = stranger.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=reply)
        thread.start()
        with pytest.raises(ToxiproxyError, match=text) as caught:
            ToxiproxyControl(f"127.0.0.1:{stranger.getsockname()[1]}").proxies()
        thread.join()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["", "https://x:1", "http://:99", "http://x:port", "http://x:99999"])
def test_an_address_that_makes_no_sense_is_refused_at_once(url: str) -> None:
    with pytest.raises(ToxiproxyError, match="is no address of a Toxiproxy"):
        ToxiproxyControl(url)


def test_two_controls_keep_their_servers_apart(toxiproxy_url: str) -> None:
    one, other = ToxiproxyControl(toxiproxy_url), ToxiproxyControl("127.0.0.1:1")
    assert one.version() == "2.12.0"
    with pytest.raises(ToxiproxyError):
        other.version()
