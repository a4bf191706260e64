"""Toxics in the HTTP API as clients of the original know them."""

import pytest

from tests.chaos.api_client import Http

_T = "/proxies/p/toxics"


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
    assert [toxic["name"] for toxic in api("GET", "/proxies/p").json()["toxics"]] == ["a", "c", "slow", "b"]


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
