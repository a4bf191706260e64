"""What others can see of a run while it goes on."""

import socket
import urllib.error
import urllib.request
from typing import Any

import gevent
import pytest

from chatproof.errors import CannotRun, WrongUse
from chatproof.watching import Watchers
from metrics.metric import Family, Kind, Metric

COUNT = Metric("test_things_total", Kind.COUNTER, "How many.")


def families() -> list[Family]:
    return [COUNT.value(7)]


def read(url: str) -> tuple[int, str]:
    """In a thread of its own: the server is in this one."""

    def get() -> tuple[int, str]:
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    found: tuple[int, str] = gevent.get_hub().threadpool.apply(get)
    return found


def test_metrics_are_at_their_port_for_as_long_as_the_run_lasts() -> None:
    said: list[str] = []
    with Watchers.parse("0", "").watching(families, "test", said.append):
        url = said[0].removeprefix("metrics ")
        status, text = read(url)
        assert (status, text.splitlines()[-1]) == (200, "test_things_total 7")
        assert read(url.removesuffix("metrics"))[0] == 404
    with pytest.raises(OSError, match="refused"):
        read(url)


def test_nobody_watches_unless_asked() -> None:
    said: list[str] = []
    with Watchers().watching(families, "test", said.append):
        assert said == []


@pytest.mark.parametrize("port", ["", "x", "99999", "host:", "-1"])
def test_what_is_no_port_is_wrong_use(port: str) -> None:
    with pytest.raises(WrongUse, match="metrics-port"):
        Watchers.parse(port, "")


def test_a_host_may_be_named() -> None:
    assert Watchers.parse("0.0.0.0:9100", "") == Watchers("0.0.0.0", 9100)
    assert Watchers.parse("[::1]:9100", "") == Watchers("::1", 9100)


def test_a_port_that_is_taken_is_the_machines_fault() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        watchers = Watchers.parse(str(taken.getsockname()[1]), "")
        with pytest.raises(CannotRun, match="choose another"), watchers.watching(families, "test", print):
            pass


def test_a_collector_that_is_no_url_is_wrong_use() -> None:
    def watch() -> Any:
        with Watchers(otlp="nowhere").watching(families, "test", print):
            pass

    with pytest.raises(WrongUse, match="OTLP over HTTP"):
        watch()
