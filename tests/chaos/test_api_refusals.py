"""What the HTTP API refuses, as clients of the original know it; nothing is changed by a refusal."""

from typing import Any

import pytest

from tests.chaos.api_client import Http

_TEXT = "text/plain; charset=utf-8"
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
    assert reply.headers["content-type"] == _TEXT
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert api("GET", "/proxies").json() == before


def test_a_port_in_use_is_named_and_nothing_is_stored(api: Http, taken: int) -> None:
    reply = api("POST", "/proxies", {"name": "x", "listen": f"127.0.0.1:{taken}", "upstream": "x:1"})
    assert reply.status == 500
    assert reply.json()["error"] == f"listen tcp 127.0.0.1:{taken}: bind: address already in use"
    assert api("GET", "/proxies/x").status == 404
