"""A portal or an HTTP-only proxy in the place of a server, for a while; afterwards all is as it was."""

from collections.abc import Callable

import gevent.socket
import pytest

from chaos.detour import DetourFault
from chaos.errors import ToxiproxyError
from chaos.plan import parse_fault
from chaos.portal import PAGE
from tests.chaos.conftest import PATIENCE_S, Line, receive

_UPGRADE = b"GET /asked HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"


def _fault(text: str) -> DetourFault:
    made = parse_fault(text).fault()
    assert isinstance(made, DetourFault)
    return made


def _upstream(line: Line) -> str:
    return line.control.proxies()[line.proxy].upstream


def _dial(line: Line) -> gevent.socket.socket:
    """To the proxy; what this process answers itself is answered while it waits."""
    return gevent.socket.create_connection(line.address, PATIENCE_S)


def _answer(line: Line, said: bytes) -> bytes:
    """All that comes back until the end, or until a page is whole."""
    with _dial(line) as connection:
        connection.sendall(said)
        heard = b""
        while not heard.endswith(PAGE) and (more := connection.recv(65536)):
            heard += more
        return heard


def _is_straight(line: Line) -> bool:
    client, server = line.connect()
    client.sendall(b"hello")
    return receive(server, 5) == b"hello"


@pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\n\r\n", b"\xc7\x01\x02", b"\x16\x03\x01 hello"])
def test_a_portal_answers_whatever_is_said_and_then_the_server_does_again(line: Line, said: bytes) -> None:
    before, portal = _upstream(line), _fault("portal")
    portal.apply(line.control, line.proxy)
    answer = _answer(line, said)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(PAGE)
    portal.heal(line.control, line.proxy)
    portal.heal(line.control, line.proxy)
    assert _upstream(line) == before
    assert _is_straight(line)


def test_of_two_that_overlap_neither_leaves_the_other_behind(line: Line) -> None:
    before, first, second = _upstream(line), _fault("portal"), _fault("portal")
    first.apply(line.control, line.proxy)
    one = _upstream(line)
    second.apply(line.control, line.proxy)
    two = _upstream(line)
    assert len({before, one, two}) == 3
    first.heal(line.control, line.proxy)
    assert _upstream(line) == two
    second.heal(line.control, line.proxy)
    assert _upstream(line) == before
    assert _is_straight(line)


def test_a_proxy_that_is_gone_is_nobodys_detour(line: Line) -> None:
    portal = _fault("portal")
    with pytest.raises(ToxiproxyError, match="no proxy 'elsewhere'"):
        portal.apply(line.control, "elsewhere")
    portal.apply(line.control, line.proxy)
    line.control.delete_proxy(line.proxy)
    portal.heal(line.control, line.proxy)
    line.recreate(first=True)


def test_nothing_but_plain_http_passes(line: Line, requires: Callable[[str], str]) -> None:
    requires("tinyproxy")
    before, http_only = _upstream(line), _fault("http_only")
    http_only.apply(line.control, line.proxy)
    try:
        with _dial(line) as client:
            client.sendall(_UPGRADE)
            server = line.accept()
            heard = b""
            while b"\r\n\r\n" not in heard:
                heard += server.recv(65536)
            assert heard.startswith(b"GET /asked HTTP/1.")
            assert b"websocket" not in heard, "an upgrade is not passed on"
            server.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
            server.close()
            got = b""
            while more := client.recv(65536):
                got += more
            assert got.endswith(b"\r\n\r\nok")
        for said in (b"\xc7\x01\x02\r\n\r\n", b"CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n"):
            refused = _answer(line, said)
            assert not refused or refused.partition(b" ")[2][:1] in b"45", refused
    finally:
        http_only.heal(line.control, line.proxy)
    assert _upstream(line) == before
    assert _is_straight(line)
