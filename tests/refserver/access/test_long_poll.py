"""Long poll: no message falls between two polls, none waits for the timeout."""

import gc

import gevent
import greenlet
import pytest

from protocol.messages import Pulled


def versions(answer: tuple) -> list[int]:
    status, _, page = answer
    assert status == 200, page
    return [entry["version"] for entry in page["entries"]]


def settle(http_node, waiting: int = 1) -> None:
    """Until so many calls wait for a push."""
    while sum(map(len, http_node._watching.values())) < waiting:
        gevent.sleep(0.001)
    for _ in range(20):
        gevent.sleep(0.001)


def test_what_is_there_is_answered_at_once(http, business):
    business.put("u1", b"x")
    http.get("/v1/inbox?after=0&wait_s=60")
    assert versions(http.answer()) == [1]


def test_what_comes_ends_the_wait(http, business, http_node):
    business.put("u1", b"old")
    http.get("/v1/inbox?after=1&wait_s=60")
    settle(http_node)
    assert http.hears_nothing()
    business.put("u1", b"new")
    assert versions(http.answer()) == [2]


def test_what_comes_between_watching_and_pulling_is_not_lost(http, business, http_node):
    business.hold = True
    http.get("/v1/inbox?after=0&wait_s=60")
    settle(http_node)
    ((node, number, _, _),) = business._held
    business._held.clear()
    business.hold = False
    entry = business.put("u1", b"between")
    node.reply(number, Pulled([], 0, False))
    assert versions(http.answer()) == [entry.version]


def test_the_timeout_answers_with_an_empty_page(http, business):
    http.get("/v1/inbox?after=0&wait_s=0.3")
    status, _, page = http.answer()
    assert (status, page) == (200, {"entries": [], "newest": 0, "more": False})


def test_several_polls_of_a_user_all_get_it(http, second_http, business, http_node):
    for client in (http, second_http):
        client.get("/v1/inbox?after=0&wait_s=60")
    settle(http_node, 2)
    business.put("u1", b"x")
    assert versions(http.answer()) == versions(second_http.answer()) == [1]
    assert business.nodes["u1"] == []


def test_an_entry_that_the_client_has_ends_nothing(http, business, http_node):
    http.get("/v1/inbox?after=5&wait_s=60")
    settle(http_node)
    asked = len(business.requests)
    business.put("u1", b"version 1")
    assert http.hears_nothing()
    assert len(business.requests) == asked


@pytest.mark.parametrize("how", ["answered", "abandoned"])
def test_a_poll_that_ends_is_no_longer_watching(http, business, http_node, how):
    http.get("/v1/inbox?after=0&wait_s=60")
    settle(http_node)
    assert business.nodes["u1"] == [http_node]
    if how == "answered":
        business.put("u1", b"x")
        http.answer()
    else:
        http.close()
        while http_node.count:
            gevent.sleep(0.001)
    assert business.nodes["u1"] == []
    assert http_node._watching == {}


def test_draining_ends_polls_with_what_there_is(http, business, http_node):
    http.get("/v1/inbox?after=0&wait_s=60")
    settle(http_node)
    http_node.drain()
    status, headers, page = http.answer()
    assert (status, page["entries"], headers["connection"]) == (200, [], "close")
    assert http.is_closed()


def test_waiting_polls_cost_no_greenlet(http, http_node, new_http, business):
    clients = [new_http() for _ in range(50)]
    before = greenlets()
    for client in clients:
        client.get("/v1/inbox?after=0&wait_s=60")
    settle(http_node, 50)
    assert greenlets() == before
    business.put("u1", b"x")
    assert [versions(client.answer()) for client in clients] == [[1]] * 50


def greenlets() -> int:
    return sum(isinstance(each, greenlet.greenlet) and bool(each) for each in gc.get_objects())
