"""Proxies in the HTTP API as clients of the original know them, route by route."""

import re
from typing import Any

import pytest

from tests.chaos.api_client import Http

_P = "/proxies/p"
_JSON = "application/json"


def test_no_proxies_are_an_empty_object(api: Http) -> None:
    reply = api("GET", "/proxies")
    assert (reply.status, reply.body, reply.headers["content-type"]) == (200, b"{}", _JSON)


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
    assert reply.headers["content-type"] == _JSON
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
    assert (reply.status, reply.headers["content-type"]) == (400, _JSON)
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
