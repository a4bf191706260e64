"""SEC.1: a server that has been told to be secure is nothing else: its plain listeners are switched off."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from conformance.accounts import Block, load
from conformance.authority import Authority
from conformance.handshakes import ALERT, Place, Secured, said_to
from conformance.phone import Phone
from conformance.target import Target
from conformance.verdicts import not_offered
from conformance.web import Web
from drivers.endpoints import parse_target
from drivers.pumps.wire import Wire
from protocol import frames
from protocol.messages import Login

pytestmark = [pytest.mark.clause("SEC.1"), pytest.mark.once("every place that speaks TLS is looked at")]

_HOST = "127.0.0.1"
_CARRIERS = ("tls", "wss", "https")
_TOKEN_TTL_S = 3600.0


@dataclass(frozen=True, slots=True)
class Secure:
    """A server that has addresses with TLS only. `ca`: the root; an authority between it and the server's
    certificate is known to nobody but the server."""

    urls: dict[str, str]
    pids: list[int]
    block: Block
    ca: Path


@pytest.fixture(scope="module")
def secure(target: Target) -> Iterator[Secure]:
    if not target.is_ours:
        not_offered("the target was not started by us, so its plain listeners cannot be switched off")
    # By the module's name: whoever tests another server than the reference puts that in its place.
    from refserver import accounts, process

    with tempfile.TemporaryDirectory(prefix="chatproof-secure-") as name, ExitStack() as stack:
        folder = Path(name)
        (folder / "pem").mkdir()
        authority = Authority.make(folder / "pem")
        accounts.testbed(folder / "data", 1, folder / "accounts.json", _TOKEN_TTL_S)
        server = process.ServerProcess(
            folder / "data",
            tcp_ports=0,
            http=False,
            carriers=_CARRIERS,
            certificate=authority.issue(_HOST),
        )
        server.start()
        stack.callback(server.stop)
        urls = {scheme: found[0] for scheme, found in server.urls.items()}
        yield Secure(urls, server.pids, load(folder / "accounts.json")[0], authority.root)


def is_answer(said: bytes) -> bool:
    return said[:1] not in (b"", bytes([ALERT]))


def test_a_secure_server_listens_nowhere_else(secure: Secure) -> None:
    """Plain listeners can be switched off.

    A server is started with addresses for TLS only. Every port that its processes listen on is looked up,
    and LOGIN and a request of HTTP come there in the clear. Expected: the ports are those it was told to
    open, each ends the connection with an alert at most, and there is no other.
    """
    told = {urlsplit(url).port or 0 for url in secure.urls.values()}
    assert set(secure.urls) == set(_CARRIERS), f"expected addresses of {_CARRIERS}, got {secure.urls}"
    listening = {
        each.laddr.port
        for pid in secure.pids
        for each in psutil.Process(pid).net_connections("inet")
        if each.status == psutil.CONN_LISTEN
    }
    login = frames.encode(Login(secure.block.users[0].token, "in the clear")) + frames.EMPTY_PING
    for port in listening:
        place = Place("plain", (_HOST, port), _HOST, None)
        for words in (login, b"GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"):
            said = said_to(place, words, enough=is_answer)
            assert not is_answer(said), f"expected nothing in the clear at port {port}, got {said[:60]!r}"
    assert listening == told, f"expected ports {sorted(told)}, it listens on {sorted(listening)}"


def test_a_secure_server_can_do_without_plain_ways(secure: Secure) -> None:
    """Plain listeners can be switched off: all there is to do can be done over TLS.

    A client that knows the root authority alone verifies each address, and two users write to each other
    over the long connections and HTTPS. Expected: every handshake verifies, and every message arrives.
    """
    for scheme, url in secure.urls.items():
        with Secured(Place.of(url, scheme, secure.ca)):
            pass
    one, other = secure.block.pick(2)
    expected = []
    for carrier in ("tls", "wss"):
        endpoint = parse_target(f"chat+{secure.urls[carrier]}?ca={secure.ca}")
        with Wire(endpoint) as ours, Wire(endpoint) as theirs:
            source, sink = Phone(ours, one, carrier), Phone(theirs, other, carrier)
            source.say(other.user, carrier.encode())
            sink.await_push(carrier.encode())
        expected.append(carrier.encode())
    with Web(secure.urls["https"], other.token, ca=secure.ca) as web:
        polled = web.poll().bodies
    assert polled == expected, f"expected {expected} over HTTPS, got {polled}"
