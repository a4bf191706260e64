"""The server embedded in a process, and as a process of its own."""

import http.client
import signal
import socket
import subprocess
import sys
from pathlib import Path

import gevent
import gevent.socket
import pytest
from gevent.pywsgi import WSGIServer

from chaos.control import ToxiproxyControl
from chaos.toxiproxy.server import ToxiproxyServer
from tests.chaos.conftest import PATIENCE_S


def _serve(*arguments: object, patched: bool = False) -> "subprocess.Popen[str]":
    code = f"from pathlib import Path; from chaos.toxiproxy.server import serve; serve{arguments!r}"
    code = code.replace("PosixPath", "Path")
    if patched:
        code = f"from gevent.monkey import patch_all; patch_all(); {code}"
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_embedded_it_serves_and_stops_and_can_start_again() -> None:
    server = ToxiproxyServer(port=0)
    for _ in range(2):
        server.start()
        with gevent.Timeout(PATIENCE_S):
            client = gevent.socket.create_connection(("127.0.0.1", server.port))
            client.sendall(b"GET /version HTTP/1.0\r\n\r\n")
            assert b"2.12.0" in client.recv(65536)
            client.close()
        server.stop()
        with pytest.raises(ConnectionRefusedError):
            gevent.socket.create_connection(("127.0.0.1", server.port))
    server.stop()


def test_stopping_closes_the_connections_of_its_proxies() -> None:
    server = ToxiproxyServer(port=0)
    server.start()
    with gevent.Timeout(PATIENCE_S), socket.create_server(("127.0.0.1", 0)) as upstream:
        body = b'{"name":"p","listen":"127.0.0.1:0","upstream":"127.0.0.1:%d"}' % upstream.getsockname()[1]
        api = gevent.socket.create_connection(("127.0.0.1", server.port))
        api.sendall(b"POST /proxies HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        assert b"201 Created" in api.recv(65536)
        (proxy,) = server.collection
        host, port = proxy.listen.split(":")
        client = gevent.socket.create_connection((host, int(port)))
        accepting = gevent.socket.socket(fileno=upstream.detach())
        behind, _ = accepting.accept()
        client.sendall(b"x")
        assert behind.recv(1) == b"x"
        server.stop()
        assert client.recv(1) == b""
        assert behind.recv(1) == b""


def test_a_port_in_use_is_one_line_that_says_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"127.0.0.1:{port}: bind: address already in use; choose another"):
            ToxiproxyServer(port=port).start()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_an_orderly_end(number: signal.Signals) -> None:
    process = _serve("127.0.0.1", 0, None, None, False, False)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("toxiproxy listens on http://127.0.0.1:")
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out, err) == (0, "", "")


def test_where_gevent_has_patched_everything_connections_still_close_at_once() -> None:
    process = _serve("127.0.0.1", 0, None, None, False, False, patched=True)
    assert process.stdout is not None
    control = ToxiproxyControl(process.stdout.readline().split()[-1])
    with socket.create_server(("127.0.0.1", 0)) as upstream:
        listen = control.create_proxy("p", "127.0.0.1:0", f"127.0.0.1:{upstream.getsockname()[1]}")
        with socket.create_connection(("127.0.0.1", int(listen.split(":")[1])), timeout=PATIENCE_S) as client:
            upstream.settimeout(PATIENCE_S)
            server, _ = upstream.accept()
            server.close()
            assert client.recv(1) == b""
    process.terminate()
    assert process.communicate(timeout=PATIENCE_S) == ("", "")


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (b"POST /proxies HTTP/1.1\r\nContent-Length: 9\r\n\r\n{", b"400 Bad Request"),
        (b"POST /proxies HTTP/1.1\r\nContent-Length: x\r\n\r\n{", b"400 Bad Request"),
        (b"\x16\x03\x01\r\n\r\n", b"400 Bad Request"),
        (b"", b""),
    ],
)
def test_a_broken_request_costs_its_sender_only(
    request_: bytes, answer: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    server = ToxiproxyServer(port=0)
    server.start()
    with gevent.Timeout(PATIENCE_S):
        client = gevent.socket.create_connection(("127.0.0.1", server.port))
        client.sendall(request_)
        client.shutdown(socket.SHUT_WR)
        assert answer in client.recv(65536)
        client.close()
    server.stop()
    assert capfd.readouterr() == ("", ""), "nothing is logged of it"


def test_the_proxies_of_a_config_are_there_before_anybody_can_ask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "proxies.json"
    config.write_text('[{"name": "p", "listen": "localhost:0", "upstream": "localhost:1"}]')
    there: list[str] = []

    class Watched(WSGIServer):
        def start(self) -> None:
            there.extend(proxy.name for proxy in server.collection)
            super().start()

    monkeypatch.setattr("chaos.toxiproxy.server.WSGIServer", Watched)
    server = ToxiproxyServer(port=0)
    assert server.start(config) is None
    server.stop()
    assert there == ["p"]


def test_a_config_is_what_populate_takes(tmp_path: Path) -> None:
    config = tmp_path / "proxies.json"
    config.write_text('[{"name": "p", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:1"}]')
    process = _serve("127.0.0.1", 0, config, None, False, False)
    assert process.stdout is not None
    control = ToxiproxyControl(process.stdout.readline().split()[-1])
    assert list(control.proxies()) == ["p"]
    connection = http.client.HTTPConnection(control.url.removeprefix("http://"), timeout=PATIENCE_S)
    connection.request("GET", "/metrics")
    assert connection.getresponse().status == 404, "metrics only where they were asked for"
    connection.close()
    process.terminate()
    process.communicate(timeout=PATIENCE_S)


@pytest.mark.parametrize("text", ["{}", '[{"name": "p"}]', "nonsense", None])
def test_a_config_that_cannot_be_used_is_reported_and_the_server_runs(
    tmp_path: Path, text: str | None
) -> None:
    config = tmp_path / "proxies.json"
    if text is not None:
        config.write_text(text)
    process = _serve("127.0.0.1", 0, config, None, False, False)
    assert process.stdout is not None
    assert ToxiproxyControl(process.stdout.readline().split()[-1]).proxies() == {}
    process.terminate()
    _, err = process.communicate(timeout=PATIENCE_S)
    assert err.startswith("toxiproxy: config not used: ")
    assert err.count("\n") == 1
