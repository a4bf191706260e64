"""GET /metrics of a whole server: all its processes together, as Prometheus' own parser reads it."""

import time
import urllib.request

import pytest
from chat_client import ChatClient
from prometheus_client.parser import text_string_to_metric_families

import refserver.metrics
from metrics.metric import described
from protocol.messages import Ping, Pong, Send, Sent
from refserver import accounts
from refserver.process import ServerProcess
from refserver.tokens import TokenSigner, load_or_create_secret

PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    data_dir = tmp_path_factory.mktemp("server")
    accounts.add(data_dir, ["u1", "u2"], "secret")
    accounts.befriend(data_dir, ["u1", "u2"])
    with ServerProcess(data_dir, tcp_ports=1, access_processes=2) as server:
        yield server


def measured(server: ServerProcess) -> dict[tuple[str, ...], float]:
    """By name and label values."""
    with urllib.request.urlopen(f"{server.http_url}/metrics") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        text = answer.read().decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def until(server: ServerProcess, name: str, value: float) -> dict[tuple[str, ...], float]:
    """What is measured once it holds: access processes tell once a second."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        found = measured(server)
        if found[(f"chatproof_server_{name}",)] >= value or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def client_of(server: ServerProcess, user: str, device: str) -> ChatClient:
    host, _, port = server.tcp_urls[0].removeprefix("tcp://").rpartition(":")
    client = ChatClient((host, int(port)))
    client.login(TokenSigner(load_or_create_secret(server.data_dir)).issue(user, 60), device=device)
    return client


def test_what_clients_do_at_any_process_is_added_up(server):
    before = measured(server)
    clients = [client_of(server, user, f"{user}-{n}") for n in range(6) for user in ("u1", "u2")]
    for client in clients:
        client.send(Ping())
        client.expect(Pong)
    clients[0].send(Send("c1", "u2", "text", b"hello", 0))
    clients[0].expect(Sent)
    name = "chatproof_server_"
    found = until(server, "heartbeats_total", before[(f"{name}heartbeats_total",)] + len(clients))
    grown = {key: value - before.get(key, 0) for key, value in found.items()}
    assert grown[(f"{name}logins_total",)] == len(clients)
    assert grown[(f"{name}heartbeats_total",)] == len(clients)
    assert grown[(f"{name}messages_total",)] == 1
    assert grown[(f"{name}commits_total",)] >= 1
    found = until(server, "pushes_total", before[(f"{name}pushes_total",)] + len(clients) - 1)
    assert found[(f"{name}pushes_total",)] >= before[(f"{name}pushes_total",)] + len(clients) - 1
    assert found[(f"{name}connections", server.tcp_urls[0])] == len(clients)
    assert found[(f"{name}users",)] == 2
    for client in clients:
        client.close()


def test_every_process_is_there_with_what_it_costs(server):
    found = measured(server)
    processes = {key[1] for key in found if key[0] == "chatproof_server_process_cpu_seconds_total"}
    assert {"server", "access-1", "access-2"} <= processes
    assert all(found[("chatproof_server_process_resident_memory_bytes", each)] > 1e6 for each in processes)


def test_every_metric_that_is_described_is_told(server):
    told = {key[0] for key in measured(server)}
    ours = {metric.name for metric in described() if metric.name.startswith(refserver.metrics._P)}
    assert ours == told
