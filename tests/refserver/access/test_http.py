"""The HTTP face, route by route: statuses, problem details, limits, keep-alive and pipelining."""

import json
from base64 import b64encode

import gevent
import pytest
from http_client import PATIENCE_S

from refserver.access.http import exchange, routes
from refserver.access.http.parsing import MAX_BODY_BYTES, MAX_HEADER_BYTES

HELLO = b64encode(b"hello").decode()


def test_a_message_is_sent_and_found_again(http, business):
    http.post("/v1/messages", {"cid": "c1", "to": "u1", "kind": "text", "body": HELLO})
    status, _, sent = http.answer()
    assert (status, sent["cid"], sent["version"], sent["sequence"]) == (200, "c1", 1, 1)
    http.get("/v1/inbox?after=0")
    status, _, page = http.answer()
    assert (status, page["newest"], page["more"]) == (200, 1, False)
    assert page["entries"][0]["body"] == HELLO


def test_a_package_is_answered_item_by_item(http):
    items = [{"kind": "text", "body": HELLO}] * 3
    http.post("/v1/messages", {"cid": "c1", "to": "u2", "items": items})
    status, _, sent = http.answer()
    assert status == 200
    assert [each["sequence"] for each in sent["placed"]] == [1, 2, 3]
    assert "mid" not in sent


@pytest.mark.parametrize(
    ("header", "field", "expected"), [(None, None, "http"), ("h1", None, "h1"), ("h1", "f1", "f1")]
)
def test_the_device_comes_from_the_header_or_the_body(http, business, header, field, expected):
    seen = []
    real = business.request
    business.request = lambda node, number, user, device, message: (
        seen.append(device) or real(node, number, user, device, message)
    )
    body = {"cid": "c1", "to": "u2", "kind": "text", "body": HELLO} | ({"device": field} if field else {})
    http.post("/v1/messages", body, **({"X-Device": header} if header else {}))
    assert http.answer()[0] == 200
    assert seen == [expected]


MESSAGE = {"cid": "c1", "to": "u2", "kind": "text", "body": HELLO}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/unread", None, 200),
        ("GET", "/v1/contacts?after=0&limit=5", None, 200),
        ("GET", "/v1/conversations/g%3Aone/messages?before=9&limit=2", None, 200),
        ("POST", "/v1/read", {"conversation": "u1:u2", "sequence": 3}, 200),
        ("GET", "/healthz", None, 200),
        ("GET", "/v1/endpoints", None, 200),
        ("GET", "http://host.example/healthz", None, 200),
        ("GET", "/", None, 404),
        ("GET", "/v1/conversations/x/y/messages", None, 404),
        ("GET", "/v1/conversations/{conversation}/messages", None, 200),
        ("DELETE", "/v1/messages", None, 405),
        ("GET", "/v1/tokens", None, 405),
        ("GET", "/v1/inbox?after=-1", None, 400),
        ("GET", "/v1/inbox?limit=0", None, 400),
        ("GET", "/v1/inbox?wait_s=soon", None, 400),
        ("POST", "/v1/messages", {}, 400),
        ("POST", "/v1/messages", [], 400),
        ("POST", "/v1/messages", {**MESSAGE, "body": "not base64!"}, 400),
        ("POST", "/v1/messages", {**MESSAGE, "items": []}, 400),
        ("POST", "/v1/messages", {**MESSAGE, "cid": ""}, 400),
        ("POST", "/v1/messages", {**MESSAGE, "cid": "x" * 65}, 400),
        ("POST", "/v1/messages", {"cid": "c", "to": "u2", "items": []}, 400),
        ("POST", "/v1/messages", {**MESSAGE, "to": "nobody"}, 404),
        ("POST", "/v1/messages", {**MESSAGE, "to": "busy"}, 429),
        ("POST", "/v1/read", {"conversation": "u1:u2", "sequence": -1}, 400),
    ],
)
def test_every_route_answers_with_json_or_a_problem(http, method, path, body, status):
    http.request(method, path, body)
    got, headers, answer = http.answer()
    assert got == status, answer
    if status == 200:
        assert headers["content-type"] == "application/json"
    else:
        assert headers["content-type"] == "application/problem+json"
        assert (answer["status"], bool(answer["title"]), bool(answer["detail"])) == (status, True, True)


def test_refusals_carry_the_headers_that_go_with_them(http):
    http.request("PUT", "/v1/inbox")
    assert http.answer()[1]["allow"] == "GET, HEAD"
    http.post("/v1/messages", {**MESSAGE, "to": "busy"})
    _, headers, problem = http.answer()
    assert headers["retry-after"] == "2", "1500 ms, in whole seconds"
    assert problem["cid"] == "c1"


@pytest.mark.parametrize("authorization", [None, "Basic dTpw", "Bearer", "Bearer forged.9999999999.x"])
def test_without_a_good_token_nothing_is_answered_but_401(http, business, authorization):
    http.token = None
    http.get("/v1/inbox", **({"Authorization": authorization} if authorization else {}))
    status, headers, _ = http.answer()
    assert (status, headers["www-authenticate"]) == (401, "Bearer")
    assert business.requests == []


def test_a_password_becomes_a_token(http, signer):
    http.token = None
    http.post("/v1/tokens", {"user": "u1", "password": "right"})
    status, _, answer = http.answer()
    assert (status, signer.verify(answer["token"])) == (200, "u1")
    http.post("/v1/tokens", {"user": "u1", "password": "wrong"})
    wrong_password = http.answer()
    http.post("/v1/tokens", {"user": "nobody", "password": "right"})
    wrong_user = http.answer()
    assert wrong_password[0] == wrong_user[0] == 401
    assert wrong_password[2] == wrong_user[2]


def test_head_is_get_without_the_body(http):
    http.get("/healthz")
    _, headers, _ = http.answer()
    http.request("HEAD", "/healthz")
    status, same, body = http.answer(head=True)
    assert (status, same["content-length"], body) == (200, headers["content-length"], None)
    http.get("/healthz")
    assert http.answer()[0] == 200


def test_pipelined_requests_are_answered_in_order(http, business):
    business.hold = True
    http.get("/v1/unread")
    http.get("/healthz")
    http.get("/nowhere")
    assert http.hears_nothing()
    business.release()
    assert [http.answer()[0] for _ in range(3)] == [200, 200, 404]


def test_many_pipelined_requests_in_one_segment(http):
    http.send_bytes(http.bytes_of("GET", "/v1/unread") * 500)
    assert [http.answer()[0] for _ in range(500)] == [200] * 500


def test_a_request_may_be_cut_anywhere(http):
    data = http.bytes_of("POST", "/v1/messages", MESSAGE)
    for at in range(1, len(data), 3):
        http.send_bytes(data[:at])
        gevent.sleep(0)
        http.send_bytes(data[at:])
        assert http.answer()[0] == 200, at


def test_a_chunked_body_and_expect_100(http):
    body = json.dumps(MESSAGE).encode()
    head = f"POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {http.token}\r\n".encode()
    http.send_bytes(head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
    assert http.answer()[0] == 200
    http.send_bytes(head + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
    assert http.answer(head=True)[0] == 100
    http.send_bytes(body)
    assert http.answer()[0] == 200


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01 hello\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost x\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nX: " + b"x" * MAX_HEADER_BYTES, 431),
        (b"GET /" + b"x" * MAX_HEADER_BYTES + b" HTTP/1.1\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * MAX_HEADER_BYTES, 431),
        (b"POST /v1/messages HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1), 413),
        (
            b"POST /v1/messages HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
            + b"%x\r\n" % (MAX_BODY_BYTES + 1)
            + b"x" * (MAX_BODY_BYTES + 1),
            413,
        ),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"GET /v1/ws HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", 404),
    ],
    ids=[
        "tls",
        "header",
        "long header",
        "long url",
        "many headers",
        "body",
        "chunks",
        "smuggling",
        "upgrade",
    ],
)
def test_what_is_no_request_is_refused_and_ends_the_connection(http, data, status):
    http.send_bytes(data)
    got, headers, _ = http.answer()
    assert (got, headers["connection"]) == (status, "close")
    assert http.is_closed()


@pytest.mark.parametrize("start", [b"GET /heal", b"POST /v1/read HTTP/1.1\r\nContent-Length: 9\r\n\r\n{"])
def test_a_request_has_to_come_in_time(monkeypatch, http, start):
    monkeypatch.setattr(exchange, "REQUEST_S", 0.3)
    http.send_bytes(start)
    assert http.answer()[0] == 408
    assert http.is_closed()


def test_an_idle_connection_is_closed_after_a_while(monkeypatch, http):
    monkeypatch.setattr(exchange, "KEEP_ALIVE_S", 0.3)
    http.get("/healthz")
    assert http.answer()[0] == 200
    assert http.is_closed()


@pytest.mark.parametrize(
    ("version", "connection", "stays"),
    [("1.1", None, True), ("1.1", "close", False), ("1.0", None, False), ("1.0", "keep-alive", True)],
)
def test_connections_are_kept_as_the_client_wishes(http, version, connection, stays):
    field = f"Connection: {connection}\r\n" if connection else ""
    http.send_bytes(f"GET /healthz HTTP/{version}\r\n{field}\r\n".encode())
    assert http.answer()[0] == 200
    assert http.is_closed(1.0 if stays else PATIENCE_S) is not stays


def test_a_client_that_leaves_takes_its_call_along(http, http_node, business):
    business.hold = True
    http.get("/v1/unread")
    assert http.hears_nothing()
    http.close()
    while http_node.count:
        gevent.sleep(0.001)
    business.release()
    assert http_node.calls_under_way == 0


def test_endpoints_name_listeners_and_load(http):
    http.get("/v1/endpoints")
    assert http.answer()[2] == {"endpoints": [{"url": "tcp://127.0.0.1:1", "load": 7}]}


def test_while_draining_requests_are_turned_away(http, http_node):
    http.get("/healthz")
    assert http.answer()[0] == 200
    http.send_bytes(b"GET /healthz HT")
    for _ in range(10):
        gevent.sleep(0.001)
    http_node.drain()
    http.send_bytes(b"TP/1.1\r\n\r\n")
    status, headers, _ = http.answer()
    assert (status, headers["connection"], headers["retry-after"]) == (503, "close", "1")


def test_the_route_table_describes_every_route():
    table = routes.load()
    assert {f"{each.method} {each.path}" for each in table} >= {
        "POST /v1/tokens", "POST /v1/messages", "GET /v1/inbox", "POST /v1/read", "GET /v1/unread",
        "GET /v1/contacts", "GET /v1/conversations/{conversation}/messages", "GET /healthz",
        "GET /v1/endpoints",
    }  # fmt: skip
    assert all(each.handler.__doc__ for each in table)
