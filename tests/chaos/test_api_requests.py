"""What every request to the HTTP API meets: paths, methods, headers, bodies; and metrics."""

import http.client
import re
import socket
from urllib.parse import urlsplit

import pytest

from tests.chaos.api_client import PATIENCE_S, Http

_TEXT = "text/plain; charset=utf-8"


def test_version_is_written_as_the_original_writes_it(api: Http) -> None:
    reply = api("GET", "/version")
    assert (reply.status, reply.body) == (200, b'{"version": "2.12.0"}\n')
    assert reply.headers["content-type"] == "application/json;charset=utf-8"


@pytest.mark.parametrize(
    "path",
    ["/", "/proxies/", "/nothing", "/proxies/a/b", "/proxies/p/toxics/", "/proxies/a%2Fb", "/version/"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_path_is_404_in_plain_text(api: Http, method: str, path: str) -> None:
    reply = api(method, path, User_Agent="Mozilla/5.0")
    assert (reply.status, reply.body) == (404, b"404 page not found\n")
    assert (reply.headers["content-type"], reply.headers["x-content-type-options"]) == (_TEXT, "nosniff")
    assert "x-toxiproxy-request-id" not in reply.headers


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/proxies"),
        ("HEAD", "/proxies"),
        ("OPTIONS", "/proxies/p"),
        ("POST", "/version"),
        ("GET", "/reset"),
        ("GET", "/populate"),
        ("DELETE", "/proxies/p/toxics"),
        ("PUT", "/proxies/p/toxics/slow"),
    ],
)
def test_a_known_path_with_a_wrong_method_is_405_without_a_word(api: Http, method: str, path: str) -> None:
    reply = api(method, path)
    assert (reply.status, reply.body) == (405, b"")
    assert not {"content-type", "allow", "x-toxiproxy-request-id"} & reply.headers.keys()


@pytest.mark.parametrize("path", ["/version", "/proxies", "/metrics", "/proxies/none"])
def test_browsers_are_kept_out(api: Http, path: str) -> None:
    reply = api("GET", path, User_Agent="  Mozilla/5.0 (X11)")
    assert (reply.status, reply.body) == (403, b"User agent not allowed\n")
    assert reply.headers["content-type"] == _TEXT
    assert api("GET", path, User_Agent="curl Mozilla/5.0").status != 403


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/version"), ("GET", "/proxies/none"), ("POST", "/reset")]
)
def test_every_routed_answer_carries_an_id_of_its_own(api: Http, method: str, path: str) -> None:
    first, second = (api(method, path).headers["x-toxiproxy-request-id"] for _ in range(2))
    assert re.fullmatch("[0-9a-v]{20}", first)
    assert first != second


def test_names_and_texts_are_escaped_as_go_does(api: Http) -> None:
    reply = api("POST", "/proxies", {"name": "a<b>&é\u2028", "upstream": "x:1", "enabled": False})
    assert reply.body.startswith('{"name":"a\\u003cb\\u003e\\u0026é\\u2028"'.encode())
    assert api("GET", "/proxies/a%3Cb%3E&%C3%A9%E2%80%A8").status == 200


def test_metrics_count_bytes_when_a_link_has_ended(api: Http) -> None:
    with socket.create_server(("127.0.0.1", 0)) as upstream:
        upstream.settimeout(PATIENCE_S)
        address = f"127.0.0.1:{upstream.getsockname()[1]}"
        listen = api("POST", "/proxies", {"name": "m", "listen": "127.0.0.1:0", "upstream": address}).json()[
            "listen"
        ]
        with socket.create_connection(("127.0.0.1", int(listen.split(":")[1])), timeout=PATIENCE_S) as client:
            server, _ = upstream.accept()
            with server:
                client.sendall(b"12345")
                assert server.recv(5) == b"12345"
                labels = f'direction="upstream",listener="{listen}",proxy="m",upstream="{address}"'
                assert labels not in api("GET", "/metrics").body.decode()
                server.close()
                assert client.recv(1) == b""
        text = api("PUT", "/metrics").body.decode()
        assert f"toxiproxy_proxy_received_bytes_total{{{labels}}} 5\n" in text
        assert f"toxiproxy_proxy_sent_bytes_total{{{labels}}} 5\n" in text
        assert "process_resident_memory_bytes " in text


def test_a_body_in_chunks_and_a_connection_that_is_kept_are_fine(toxiproxy_url: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(toxiproxy_url).netloc, timeout=PATIENCE_S)
    connection.request("POST", "/populate", iter([b"[", b"]"]), encode_chunked=True)
    assert connection.getresponse().read() == b'{"proxies":null}'
    connection.request("GET", "/version")
    assert connection.getresponse().status == 200
    connection.close()
