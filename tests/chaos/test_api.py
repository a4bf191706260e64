"""The HTTP API as clients of the original know it, route by route."""

import http.client
import json
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    headers: dict[str, str]

    def json(self) -> Any:
        return json.loads(self.body)


class Http:
    def __init__(self, url: str) -> None:
        self._address = urlsplit(url).netloc

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        connection = http.client.HTTPConnection(self._address, timeout=20)
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        try:
            connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
            response = connection.getresponse()
            return Reply(response.status, response.read(), {k.lower(): v for k, v in response.getheaders()})
        finally:
            connection.close()


@pytest.fixture
def api(toxiproxy_url: str) -> Iterator[Http]:
    http_ = Http(toxiproxy_url)
    yield http_
    for name in http_("GET", "/proxies").json():
        http_("DELETE", f"/proxies/{quote(name)}")


@pytest.fixture
def proxy(api: Http) -> dict[str, Any]:
    """A proxy named p with a latency toxic named slow."""
    made = api("POST", "/proxies", {"name": "p", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:1"})
    assert made.status == 201
    added = api(
        "POST", "/proxies/p/toxics", {"name": "slow", "type": "latency", "attributes": {"latency": 5}}
    )
    assert added.status == 200
    return made.json()


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_version_is_written_as_the_original_writes_it(api: Http) -> None:
    reply = api("GET", "/version")
    assert (reply.status, reply.body) == (200, b'{"version": "2.12.0"}\n')
    assert reply.headers["content-type"] == "application/json;charset=utf-8"


def test_no_proxies_are_an_empty_object(api: Http) -> None:
    reply = api("GET", "/proxies")
    assert (reply.status, reply.body, reply.headers["content-type"]) == (200, b"{}", JSON)


def test_a_proxy_is_shown_in_the_order_of_the_original(api: Http) -> None:
    reply = api("POST", "/proxies", {"name": "p", "listen": "localhost:0", "upstream": "somewhere:1"})
    assert reply.status == 201
    shown = reply.json()
    assert list(shown) == ["name", "listen", "upstream", "enabled", "Logger", "toxics"]
    assert re.fullmatch(r"127\.0\.0\.1:[1-9]\d*", shown["listen"]), "resolved, with the real port"
    assert (shown["enabled"], shown["Logger"], shown["toxics"]) == (True, {}, [])
    assert not reply.body.endswith(b"\n")
    assert b": " not in reply.body
    assert api("GET", "/proxies/p").json() == shown
    assert api("GET", "/proxies").json() == {"p": shown}


def test_a_proxy_without_listen_is_on_every_interface(api: Http) -> None:
    listen = api("POST", "/proxies", {"name": "p", "upstream": "x:1"}).json()["listen"]
    assert re.fullmatch(r"(\[::\]|0\.0\.0\.0):[1-9]\d*", listen)


def test_a_disabled_proxy_keeps_its_listen_as_written(api: Http) -> None:
    body = {"name": "p", "listen": "localhost:0", "upstream": "x:1", "enabled": False}
    assert api("POST", "/proxies", body).json()["listen"] == "localhost:0"


_P = "/proxies/p"
_T = "/proxies/p/toxics"
_NO_JSON = b""
_REFUSED: list[tuple[str, str, Any, int, str]] = [
    ("POST", "/proxies", b"", 400, "bad request body: EOF"),
    ("POST", "/proxies", b" \n", 400, "bad request body: EOF"),
    ("POST", "/proxies", b'{"name": "x"', 400, "bad request body: unexpected EOF"),
    ("POST", "/proxies", b'{"name": tr', 400, "bad request body: unexpected EOF"),
    ("POST", "/proxies", b'{"name": "x', 400, "bad request body: unexpected EOF"),
    (
        "POST",
        "/proxies",
        b"hello",
        400,
        "bad request body: invalid character 'h' looking for beginning of value",
    ),
    (
        "POST",
        "/proxies",
        {"name": 1},
        400,
        "bad request body: json: cannot unmarshal number into Go struct field Proxy.name of type string",
    ),
    (
        "POST",
        "/proxies",
        {"enabled": "yes"},
        400,
        "bad request body: json: cannot unmarshal string into Go struct field Proxy.enabled of type bool",
    ),
    (
        "POST",
        "/proxies",
        [],
        400,
        "bad request body: json: cannot unmarshal array into Go value of type toxiproxy.Proxy",
    ),
    ("POST", "/proxies", {}, 400, "missing required field: name"),
    ("POST", "/proxies", {"name": None}, 400, "missing required field: name"),
    ("POST", "/proxies", {"name": "x"}, 400, "missing required field: upstream"),
    ("POST", "/proxies", {"name": "p", "listen": "bogus", "upstream": "x"}, 409, "proxy already exists"),
    (
        "POST",
        "/proxies",
        {"name": "x", "listen": "bogus", "upstream": "x"},
        500,
        "listen tcp: address bogus: missing port in address",
    ),
    (
        "POST",
        "/proxies",
        {"name": "x", "listen": "127.0.0.1:99999", "upstream": "x"},
        500,
        "listen tcp: address 99999: invalid port",
    ),
    (
        "POST",
        "/proxies",
        {"name": "x", "listen": "8.8.8.8:80", "upstream": "x"},
        500,
        "listen tcp 8.8.8.8:80: bind: cannot assign requested address",
    ),
    ("GET", "/proxies/q", None, 404, "proxy not found"),
    ("DELETE", "/proxies/q", None, 404, "proxy not found"),
    ("PATCH", "/proxies/q", {}, 404, "proxy not found"),
    ("POST", "/proxies/q", _NO_JSON, 404, "proxy not found"),
    ("PATCH", _P, _NO_JSON, 400, "bad request body: EOF"),
    ("PATCH", _P, {"listen": "bogus"}, 500, "address bogus: missing port in address"),
    ("GET", "/proxies/q/toxics", None, 404, "proxy not found"),
    ("POST", "/proxies/q/toxics", _NO_JSON, 404, "proxy not found"),
    ("POST", _T, _NO_JSON, 400, "bad request body: EOF"),
    (
        "POST",
        _T,
        {"type": "bogus", "stream": "side"},
        400,
        "stream was invalid, can be either upstream or downstream",
    ),
    (
        "POST",
        _T,
        {"type": "noop", "stream": ""},
        400,
        "stream was invalid, can be either upstream or downstream",
    ),
    ("POST", _T, {"type": "bogus", "name": "slow"}, 400, "invalid toxic type"),
    ("POST", _T, {"type": "down"}, 400, "invalid toxic type"),
    ("POST", _T, {}, 400, "invalid toxic type"),
    (
        "POST",
        _T,
        {"type": "latency", "name": "slow", "attributes": {"latency": "x"}},
        409,
        "toxic already exists",
    ),
    (
        "POST",
        _T,
        {"type": "latency", "name": "slow", "stream": "upstream"},
        409,
        "toxic already exists",
    ),
    (
        "POST",
        _T,
        {"type": "latency", "attributes": {"latency": "100"}},
        400,
        "bad request body: json: cannot unmarshal string into Go struct field "
        "LatencyToxic.attributes.latency of type int64",
    ),
    (
        "POST",
        _T,
        {"type": "latency", "attributes": {"latency": 1.5}},
        400,
        "bad request body: json: cannot unmarshal number 1.5 into Go struct field "
        "LatencyToxic.attributes.latency of type int64",
    ),
    (
        "POST",
        _T,
        b'{"type": "latency", "attributes": {"latency": 1.50e1}}',
        400,
        "bad request body: json: cannot unmarshal number 1.50e1 into Go struct field "
        "LatencyToxic.attributes.latency of type int64",
    ),
    (
        "POST",
        _T,
        b'{"type": "latency", "attributes": {"latency": %s}}' % (b"9" * 5000),
        400,
        f"bad request body: json: cannot unmarshal number {'9' * 5000} into Go struct field "
        "LatencyToxic.attributes.latency of type int64",
    ),
    (
        "POST",
        _T,
        b'{"type": "latency", "toxicity": 1e400}',
        400,
        "bad request body: json: cannot unmarshal number 1e400 into Go struct field "
        "ToxicWrapper.toxicity of type float32",
    ),
    (
        "POST",
        _T,
        {"type": "noop", "clients": "127.0.0.1, nobody"},
        400,
        "bad request body: clients: 'nobody' does not appear to be an IPv4 or IPv6 network",
    ),
    (
        "POST",
        _T,
        {"type": "noop", "duration": -1},
        400,
        "bad request body: duration must not be negative, is -1",
    ),
    (
        "POST",
        _T,
        {"type": "shared_bandwidth", "attributes": {"rate": -1}},
        400,
        "bad request body: shared_bandwidth: rate must not be negative, is -1",
    ),
    (
        "POST",
        _T,
        {"type": "frame_reorder", "attributes": {"window": 0}},
        400,
        "bad request body: frame_reorder: window must be between 1 and 1000, is 0",
    ),
    (
        "POST",
        _T,
        {"type": "frame_corrupt", "attributes": {"part": "feet"}},
        400,
        "bad request body: frame_corrupt: part 'feet' is unknown, there are header, body",
    ),
    (
        "POST",
        _T,
        {"type": "slicer", "attributes": {"average_size": True}},
        400,
        "bad request body: json: cannot unmarshal bool into Go struct field "
        "SlicerToxic.attributes.average_size of type int",
    ),
    (
        "POST",
        _T,
        {"type": "bandwidth", "attributes": {"rate": -1}},
        400,
        "bad request body: bandwidth: rate must not be negative, is -1",
    ),
    ("POST", _T, {"type": "slicer"}, 400, "bad request body: slicer: average_size must be positive, is 0"),
    (
        "POST",
        _T,
        {"type": "slicer", "attributes": {"average_size": 5, "size_variation": 50}},
        400,
        "bad request body: slicer: size_variation must be at least 0 and at most average_size, is 50",
    ),
    (
        "POST",
        _T,
        {"type": "frame_loss", "attributes": {"probability": 1.1}},
        400,
        "bad request body: frame_loss: probability must be between 0 and 1, is 1.1",
    ),
    (
        "POST",
        _T,
        {"type": "frame_loss", "attributes": {"protocol": "irc"}},
        400,
        "bad request body: frame_loss: protocol 'irc' is unknown, "
        "there are auto, chat, mqtt, websocket, xmpp",
    ),
    ("GET", f"{_T}/quick", None, 404, "toxic not found"),
    ("GET", "/proxies/q/toxics/slow", None, 404, "proxy not found"),
    ("PATCH", f"{_T}/quick", {}, 404, "toxic not found"),
    ("DELETE", f"{_T}/quick", None, 404, "toxic not found"),
    ("PATCH", f"{_T}/slow", _NO_JSON, 400, "bad request body: EOF"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "text"), _REFUSED)
@pytest.mark.usefixtures("proxy")
def test_a_refusal_has_the_status_and_text_of_the_original_and_changes_nothing(
    api: Http, method: str, path: str, body: Any, status: int, text: str
) -> None:
    before = api("GET", "/proxies").json()
    reply = api(method, path, body)
    assert reply.status == status
    assert reply.body.endswith(b"}\n")
    assert reply.json() == {"error": text, "status": status}
    assert reply.headers["content-type"] == TEXT
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert api("GET", "/proxies").json() == before


def test_a_port_in_use_is_named_and_nothing_is_stored(api: Http, taken: int) -> None:
    reply = api("POST", "/proxies", {"name": "x", "listen": f"127.0.0.1:{taken}", "upstream": "x:1"})
    assert reply.status == 500
    assert reply.json()["error"] == f"listen tcp 127.0.0.1:{taken}: bind: address already in use"
    assert api("GET", "/proxies/x").status == 404


@pytest.mark.parametrize("method", ["PATCH", "POST"])
def test_an_update_changes_what_it_names_and_keeps_toxics(
    api: Http, proxy: dict[str, Any], method: str
) -> None:
    shown = api(method, _P, {"upstream": "other:2", "name": "ignored"}).json()
    assert (shown["name"], shown["upstream"], shown["listen"]) == ("p", "other:2", proxy["listen"])
    assert [toxic["name"] for toxic in shown["toxics"]] == ["slow"]
    off = api(method, _P, {"enabled": False}).json()
    assert (off["enabled"], off["listen"]) == (False, proxy["listen"])
    assert api(method, _P, {}).json() == off
    assert api(method, _P, {"enabled": True}).json()["listen"] == proxy["listen"]


@pytest.mark.usefixtures("proxy")
def test_an_update_that_cannot_listen_leaves_the_new_address_and_a_stopped_proxy(
    api: Http, taken: int
) -> None:
    listen = f"127.0.0.1:{taken}"
    reply = api("PATCH", _P, {"listen": listen, "upstream": "new:1"})
    assert reply.json()["error"] == f"listen tcp {listen}: bind: address already in use"
    shown = api("GET", _P).json()
    assert (shown["listen"], shown["upstream"], shown["enabled"]) == (listen, "new:1", False)


@pytest.mark.usefixtures("proxy")
def test_a_deleted_proxy_is_gone(api: Http) -> None:
    reply = api("DELETE", _P)
    assert (reply.status, reply.body) == (204, b"")
    assert "content-type" not in reply.headers
    assert api("GET", _P).status == 404


@pytest.mark.usefixtures("proxy")
def test_a_toxic_is_created_with_defaults_and_all_attributes(api: Http) -> None:
    reply = api("POST", _T, {"type": "latency", "latency": 77, "attributes": {"jitter": 3}})
    assert reply.status == 200
    assert reply.body == (
        b'{"attributes":{"latency":0,"jitter":3},"name":"latency_downstream",'
        b'"type":"latency","stream":"downstream","toxicity":1}'
    )
    assert api("GET", f"{_T}/latency_downstream").body == reply.body


@pytest.mark.usefixtures("proxy")
def test_the_stream_is_echoed_as_written(api: Http) -> None:
    made = api("POST", _T, {"type": "noop", "stream": "UPSTREAM"}).json()
    assert (made["name"], made["stream"]) == ("noop_UPSTREAM", "UPSTREAM")


@pytest.mark.usefixtures("proxy")
def test_keys_match_in_any_case_null_keeps_defaults_and_the_rest_of_the_body_is_ignored(api: Http) -> None:
    body = b'{"TYPE":"latency","Stream":null,"nAme":"x","more":[1],"Attributes":{"LATENCY":9}} trailing {'
    made = api("POST", _T, body, Content_Type="text/nonsense").json()
    assert (made["name"], made["stream"], made["attributes"]["latency"]) == ("x", "downstream", 9)


@pytest.mark.parametrize(
    ("given", "shown"), [(1, b"1"), (0.1, b"0.1"), (0.25, b"0.25"), (7, b"7"), (-1, b"-1")]
)
@pytest.mark.usefixtures("proxy")
def test_toxicity_is_a_short_float_of_any_size(api: Http, given: float, shown: bytes) -> None:
    body = api("POST", _T, {"type": "noop", "toxicity": given}).body
    assert body.endswith(b'"toxicity":' + shown + b"}")


@pytest.mark.usefixtures("proxy")
def test_toxics_are_listed_upstream_first_each_in_order(api: Http) -> None:
    for name, stream in (("a", "upstream"), ("b", "downstream"), ("c", "upstream")):
        api("POST", _T, {"type": "noop", "name": name, "stream": stream})
    assert [toxic["name"] for toxic in api("GET", _T).json()] == ["a", "c", "slow", "b"]
    assert [toxic["name"] for toxic in api("GET", _P).json()["toxics"]] == ["a", "c", "slow", "b"]


@pytest.mark.parametrize("method", ["PATCH", "POST"])
@pytest.mark.usefixtures("proxy")
def test_an_update_of_a_toxic_merges_attributes(api: Http, method: str) -> None:
    body = {"attributes": {"jitter": 2}, "name": "no", "type": "noop", "stream": "upstream"}
    shown = api(method, f"{_T}/slow", body).json()
    assert shown == {
        "attributes": {"latency": 5, "jitter": 2},
        "name": "slow",
        "type": "latency",
        "stream": "downstream",
        "toxicity": 1,
    }
    assert api(method, f"{_T}/slow", {"toxicity": 0.5}).json()["toxicity"] == 0.5
    assert api(method, f"{_T}/slow", {"attributes": {"latency": 8, "jitter": "x"}}).status == 400
    assert api("GET", f"{_T}/slow").json()["attributes"] == {"latency": 5, "jitter": 2}


@pytest.mark.parametrize(
    ("type_", "harmless", "killer"),
    [
        ("bandwidth", {"rate": 1}, {"rate": -1}),
        ("slicer", {"average_size": 5}, {"average_size": 0}),
        ("slicer", {"average_size": 5}, {"size_variation": 6}),
    ],
)
@pytest.mark.usefixtures("proxy")
def test_what_kills_the_original_is_refused_as_an_update_too(
    api: Http, type_: str, harmless: dict[str, int], killer: dict[str, int]
) -> None:
    made = api("POST", _T, {"type": type_, "attributes": harmless}).json()
    assert api("PATCH", f"{_T}/{made['name']}", {"attributes": killer}).status == 400
    assert api("GET", f"{_T}/{made['name']}").json() == made


@pytest.mark.usefixtures("proxy")
def test_what_a_toxic_has_beyond_the_original_is_shown_only_where_there_is_some(api: Http) -> None:
    plain = {
        "attributes": {},
        "name": "noop_downstream",
        "type": "noop",
        "stream": "downstream",
        "toxicity": 1,
    }
    assert api("POST", _T, {"type": "noop"}).json() == plain
    more = {"clients": "10.0.0.0/8", "duration": 60_000}
    assert api("POST", _T, {"type": "noop", "name": "n", **more}).json() == {**plain, "name": "n", **more}
    assert api("PATCH", f"{_T}/n", {"duration": 0}).json() == {**plain, "name": "n", "clients": "10.0.0.0/8"}


@pytest.mark.usefixtures("proxy")
def test_a_removed_toxic_is_gone(api: Http) -> None:
    assert api("DELETE", f"{_T}/slow").status == 204
    assert api("GET", _T).body == b"[]"


@pytest.mark.usefixtures("proxy")
def test_reset_starts_every_proxy_and_removes_every_toxic(api: Http) -> None:
    api("PATCH", _P, {"enabled": False})
    reply = api("POST", "/reset")
    assert (reply.status, reply.body) == (204, b"")
    shown = api("GET", _P).json()
    assert (shown["enabled"], shown["toxics"]) == (True, [])


def test_populate_creates_and_leaves_alone_what_is_already_so(api: Http, proxy: dict[str, Any]) -> None:
    same = {"name": "p", "listen": proxy["listen"].replace("127.0.0.1", "localhost"), "enabled": False}
    items = [{**same, "upstream": proxy["upstream"]}, {"name": "q", "upstream": "x:1", "enabled": False}]
    reply = api("POST", "/populate", items)
    assert reply.status == 201
    assert reply.headers["content-type"] == JSON
    first, second = reply.json()["proxies"]
    assert (first["enabled"], [toxic["name"] for toxic in first["toxics"]]) == (True, ["slow"])
    assert (second["name"], second["enabled"]) == ("q", False)


def test_populate_replaces_what_differs(api: Http, proxy: dict[str, Any]) -> None:
    item = {"name": "p", "listen": proxy["listen"], "upstream": "other:1"}
    (shown,) = api("POST", "/populate", [item]).json()["proxies"]
    assert (shown["upstream"], shown["toxics"]) == ("other:1", [])


def test_populate_of_nothing_answers_null(api: Http) -> None:
    reply = api("POST", "/populate", [])
    assert (reply.status, reply.body) == (201, b'{"proxies":null}')


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ([{"name": "a", "upstream": "x"}, {"upstream": "x"}], "missing required field: name at proxy 2"),
        ([{"name": "a", "upstream": "x"}, {"name": "b"}], "missing required field: upstream at proxy 2"),
    ],
)
def test_populate_checks_all_before_it_creates_any(api: Http, items: Any, text: str) -> None:
    reply = api("POST", "/populate", items)
    assert (reply.status, reply.headers["content-type"]) == (400, JSON)
    assert reply.json() == {"error": text, "status": 400, "proxies": None}
    assert not reply.body.endswith(b"\n")
    assert api("GET", "/proxies").body == b"{}"


def test_populate_keeps_what_it_made_before_a_failure(api: Http) -> None:
    items = [
        {"name": name, "listen": listen, "upstream": "x:1"} for name, listen in (("a", ""), ("b", "bogus"))
    ]
    reply = api("POST", "/populate", [*items, {"name": "c", "upstream": "x:1"}])
    assert reply.status == 500
    assert reply.json()["error"].endswith("address bogus: missing port in address")
    assert [proxy["name"] for proxy in reply.json()["proxies"]] == ["a"]
    assert list(api("GET", "/proxies").json()) == ["a"]


@pytest.mark.parametrize(
    "path",
    ["/", "/proxies/", "/nothing", "/proxies/a/b", "/proxies/p/toxics/", "/proxies/a%2Fb", "/version/"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_path_is_404_in_plain_text(api: Http, method: str, path: str) -> None:
    reply = api(method, path, User_Agent="Mozilla/5.0")
    assert (reply.status, reply.body) == (404, b"404 page not found\n")
    assert (reply.headers["content-type"], reply.headers["x-content-type-options"]) == (TEXT, "nosniff")
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
    assert reply.headers["content-type"] == TEXT
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
        upstream.settimeout(10)
        address = f"127.0.0.1:{upstream.getsockname()[1]}"
        listen = api("POST", "/proxies", {"name": "m", "listen": "127.0.0.1:0", "upstream": address}).json()[
            "listen"
        ]
        with socket.create_connection(("127.0.0.1", int(listen.split(":")[1])), timeout=10) as client:
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
    connection = http.client.HTTPConnection(urlsplit(toxiproxy_url).netloc, timeout=20)
    connection.request("POST", "/populate", iter([b"[", b"]"]), encode_chunked=True)
    assert connection.getresponse().read() == b'{"proxies":null}'
    connection.request("GET", "/version")
    assert connection.getresponse().status == 200
    connection.close()
