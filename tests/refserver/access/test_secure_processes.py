"""Whole servers that show a certificate: with access processes, and with nothing plain beside it."""

import json
import time
import urllib.request

import psutil
import pytest
from encrypted import client_context

from drivers.endpoints import parse_target
from drivers.pumps.wire import Wire
from protocol.messages import LoggedIn, Login, Push, Send, Sent
from refserver import accounts
from refserver.process import ServerProcess
from refserver.tokens import TokenSigner, load_or_create_secret


@pytest.fixture
def data_dir(tmp_path):
    accounts.add(tmp_path, ["u1", "u2"], "secret")
    accounts.befriend(tmp_path, ["u1", "u2"])
    return tmp_path


def token(server: ServerProcess, user: str) -> str:
    return TokenSigner(load_or_create_secret(server.data_dir)).issue(user, 60)


def login(server: ServerProcess, url: str, user: str, device: str, pem) -> tuple[Wire, str]:
    """A connection over whatever `url` is, and the name of the process that it came to."""
    query = f"?ca={pem.ca}" if url.startswith(("tls", "wss")) else ""
    wire = Wire(parse_target(f"chat+{url}{query}"))
    wire.send(Login(token(server, user), device))
    return wire, wire.expect(LoggedIn).node


def test_access_processes_share_the_ports_of_every_carrier(data_dir, pem):
    carriers = ("tls", "ws", "wss", "https")
    certificate = (pem.chain, pem.key)
    with ServerProcess(data_dir, access_processes=2, carriers=carriers, certificate=certificate) as server:
        urls = [server.urls[scheme][0] for scheme in ("tcp", "tls", "ws", "wss")]
        wires, nodes = [], {}
        for url in urls:
            # The kernel spreads connections over the processes: both hold some of each carrier in the end.
            nodes[url] = set()
            while len(nodes[url]) < 2:
                wire, node = login(server, url, "u2", f"{len(wires)}", pem)
                nodes[url].add(node)
                wires.append(wire)
        sender, _ = login(server, urls[1], "u1", "phone", pem)
        sender.send(Send("c1", "u2", "text", b"to all"))
        sender.expect(Sent)
        assert {wire.expect(Push).body for wire in wires} == {b"to all"}
        for wire in (*wires, sender):
            wire.close()
        assert {frozenset(held) for held in nodes.values()} == {frozenset({"access-1", "access-2"})}
        assert ask(server, pem, "/v1/unread")["total"] == 1


def ask(server: ServerProcess, pem, path: str) -> dict:
    request = urllib.request.Request(
        f"{server.https_url}{path}", headers={"Authorization": f"Bearer {token(server, 'u2')}"}
    )
    with urllib.request.urlopen(request, context=client_context(pem)) as answer:
        return json.load(answer)


def test_a_server_without_plain_addresses_has_nothing_plain(data_dir, pem):
    server = ServerProcess(
        data_dir, tcp_ports=0, http=False, carriers=("tls", "https"), certificate=(pem.chain, pem.key)
    ).start()
    try:
        assert (server.tcp_urls, server.http_url) == ([], None)
        urls = {url for held in server.urls.values() for url in held}
        told = {int(url.rpartition(":")[2]) for url in urls}
        held = psutil.Process(server.pid).net_connections("inet")
        assert {each.laddr.port for each in held if each.status == psutil.CONN_LISTEN} == told
        assert {each["url"] for each in ask(server, pem, "/v1/endpoints")["endpoints"]} == urls
    finally:
        server.stop()


def wait_for(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def can_login(server: ServerProcess, pem) -> bool:
    try:
        wire, _ = login(server, server.urls["tls"][0], "u1", "phone", pem)
    except OSError:
        return False
    wire.close()
    return True


def test_a_certificate_that_is_gone_when_a_process_starts_again_is_told_in_its_log(data_dir, pem, tmp_path):
    chain, key = tmp_path / "chain", tmp_path / "key"
    chain.write_bytes(pem.chain.read_bytes())
    key.write_bytes(pem.key.read_bytes())
    server = ServerProcess(
        data_dir, tcp_ports=0, access_processes=1, carriers=("tls",), certificate=(chain, key)
    ).start()
    try:
        chain.write_text("no certificate")
        psutil.Process(server.pids[1]).kill()
        wait_for(lambda: f"access-2: certificate {chain}: " in server.log_path.read_text())
        chain.write_bytes(pem.chain.read_bytes())
        wait_for(lambda: can_login(server, pem))
    finally:
        server.stop()
