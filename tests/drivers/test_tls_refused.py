"""A server that cannot show who it is hears nothing: no token, no LOGIN, whatever it shows instead."""

import socket
import ssl
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import gevent
import pytest
import trustme

from drivers import events
from drivers.contract import Identity
from drivers.endpoints import parse_target
from drivers.policy import Policy
from drivers.pumps.blocking import Device

sys.path.insert(0, str(Path(__file__).parent))

from authority import Authority, Certificate

TOKEN = "a token that nobody else may see"
HASTY = Policy(reconnect_base_s=0.05, reconnect_cap_s=0.05)


class Impostor:
    """Listens in a thread of its own. `heard`: whatever it could read of its clients, decrypted."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.heard = bytearray()
        self.has_heard = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                self._listen_to(self._listener.accept()[0])

    def _listen_to(self, connection: socket.socket) -> None:
        connection.settimeout(60.0)
        with connection, suppress(OSError), self._context.wrap_socket(connection, server_side=True) as client:
            while data := client.recv(4096):
                self.heard += data
                self.has_heard.set()

    def stop(self) -> None:
        """It has heard all that it will ever hear."""
        # Closing alone does not wake a thread that accepts.
        if self._thread.is_alive():
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


def serving(certificate: Certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain, certificate.key)
    return context


def outdated(certificate: Certificate) -> ssl.SSLContext:
    context = serving(certificate)
    with warnings.catch_warnings(action="ignore"):
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


def self_signed() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def shown(authority: Authority) -> dict[str, ssl.SSLContext]:
    """What servers show, by what is wrong with it."""
    good = authority.issue("127.0.0.1")
    return {
        "nothing": serving(good),
        "another name": serving(authority.issue("chat.example")),
        "another address": serving(authority.issue("127.0.0.2")),
        "its time": serving(authority.issue("127.0.0.1", expired=True)),
        "its authority": self_signed(),
        "its version": outdated(good),
    }


@pytest.fixture
def impostor(request: pytest.FixtureRequest, shown: dict[str, ssl.SSLContext]) -> Iterator[Impostor]:
    impostor = Impostor(shown[request.param])
    yield impostor
    impostor.stop()


def device(impostor: Impostor, carrier: str, ca: Path) -> Device:
    endpoint = parse_target(f"chat+{carrier}://127.0.0.1:{impostor.port}?ca={ca}")
    return Device((endpoint,), Identity("u1", "phone", TOKEN), policy=HASTY)


@pytest.mark.parametrize("carrier", ["tls", "wss"])
@pytest.mark.parametrize(
    ("impostor", "why"),
    [
        ("another name", "certificate refused: IP address mismatch"),
        ("another address", "certificate refused: IP address mismatch"),
        ("its time", "certificate refused: certificate has expired"),
        ("its authority", "certificate refused: unable to get local issuer certificate"),
        ("its version", "TLS handshake: "),
    ],
    indirect=["impostor"],
)
def test_who_is_not_trusted_hears_nothing(impostor: Impostor, authority: Authority, carrier: str, why: str):
    with device(impostor, carrier, authority.ca) as doubter:
        doubter.start()
        first = doubter.await_event(events.Closed)
        doubter.send("u2", b"waits for a server that can be trusted")
        doubter.await_event(events.Closed, since=doubter.events.index(first) + 1)
        assert not doubter.all_of(events.LoggedIn)
    impostor.stop()
    assert impostor.heard == b""
    assert first.reason is events.CloseReason.PROTOCOL_ERROR
    assert first.detail.startswith(why)


@pytest.mark.parametrize("impostor", ["nothing"], indirect=True)
def test_who_is_trusted_hears_the_token(impostor: Impostor, authority: Authority) -> None:
    with device(impostor, "tls", authority.ca) as client:
        client.start()
        assert gevent.get_hub().threadpool.apply(impostor.has_heard.wait, (60.0,))
    assert TOKEN.encode() in impostor.heard
