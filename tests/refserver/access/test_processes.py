"""Whole servers as processes: several access processes behave like one, and every end is an orderly one."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from chat_client import PATIENCE_S, ChatClient

from protocol.messages import GoAway, Ping, Pong, Push, Send, Sent
from refserver import accounts
from refserver.process import ServerFailed, ServerProcess
from refserver.tokens import TokenSigner, load_or_create_secret


@pytest.fixture
def data_dir(tmp_path):
    accounts.add(tmp_path, ["u1", "u2"], "secret")
    accounts.befriend(tmp_path, ["u1", "u2"])
    return tmp_path


@pytest.fixture
def server(data_dir):
    server = ServerProcess(data_dir, tcp_ports=1, access_processes=2).start()
    yield server
    server.stop()


def address(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("tcp://").rpartition(":")
    return host, int(port)


def login(server: ServerProcess, user: str, device: str, **fields: object) -> tuple[ChatClient, str]:
    """A client and the name of the process that it came to."""
    client = ChatClient(address(server.tcp_urls[0]))
    token = TokenSigner(load_or_create_secret(server.data_dir)).issue(user, 60)
    return client, client.login(token, device=device, **fields).node


def on_another_process(server: ServerProcess, user: str, device: str, than: str) -> ChatClient:
    """The kernel spreads connections over the processes, so one tries until it does."""
    for _ in range(100):
        client, node = login(server, user, device)
        if node != than:
            return client
        client.close()
    raise AssertionError("a hundred connections came to the same process")


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def test_devices_of_a_user_on_different_processes_all_get_pushes(server):
    phone, node = login(server, "u2", "phone")
    desk = on_another_process(server, "u2", "desk", than=node)
    sender, _ = login(server, "u1", "phone")
    for number in range(10):
        sender.send(Send(f"c{number}", "u2", "text", b"%d" % number))
        sender.expect(Sent)
    for device in (phone, desk):
        assert [device.expect(Push).body for _ in range(10)] == [b"%d" % number for number in range(10)]


def test_a_device_is_replaced_also_by_a_login_on_another_process(server):
    older, node = login(server, "u2", "phone")
    newer = on_another_process(server, "u2", "phone", than=node)
    assert older.expect(GoAway).reason == "replaced"
    assert older.receive() is None
    newer.send(Ping())
    newer.expect(Pong)


def test_a_long_poll_hears_of_what_comes_over_tcp(server):
    token = TokenSigner(load_or_create_secret(server.data_dir)).issue("u2", 60)
    request = urllib.request.Request(
        f"{server.http_url}/v1/inbox?wait_s=20", headers={"Authorization": f"Bearer {token}"}
    )
    sender, _ = login(server, "u1", "phone")
    sender.send(Send("c1", "u2", "text", b"x"))
    with urllib.request.urlopen(request) as answer:
        assert [each["sequence"] for each in json.load(answer)["entries"]] == [1]


def test_a_password_becomes_a_token_that_logs_in(server):
    def tokens(password: str) -> str:
        body = json.dumps({"user": "u1", "password": password}).encode()
        with urllib.request.urlopen(f"{server.http_url}/v1/tokens", data=body) as answer:
            return json.load(answer)["token"]

    client = ChatClient(address(server.tcp_urls[0]))
    assert client.login(tokens("secret")).user == "u1"
    with pytest.raises(urllib.error.HTTPError) as refused:
        tokens("wrong")
    assert refused.value.code == 401


def test_a_killed_access_process_costs_its_clients_a_reconnect(server):
    clients = {}
    while len(clients) < 2:
        client, node = login(server, "u2", f"d{len(clients)}")
        clients.setdefault(node, client)
    os.kill(server.pids[1], signal.SIGKILL)
    wait_for(lambda: any(is_gone(client, 0.1) for client in clients.values()))
    survivors = [node for node, client in clients.items() if not client.ended]
    assert len(survivors) == 1
    assert not is_gone(clients[survivors[0]], 0.1)
    sender, _ = login(server, "u1", "phone")
    sender.send(Send("c1", "u2", "text", b"x"))
    assert sender.expect(Sent).sequence == 1
    assert clients[survivors[0]].expect(Push).body == b"x"
    names = set()

    def another_was_started() -> bool:
        client, node = login(server, "u1", "other")
        client.close()
        names.add(node)
        return bool(names - clients.keys())

    wait_for(another_was_started)


def test_killing_where_access_processes_come_from_costs_a_reconnect_too(server):
    older, _ = login(server, "u2", "phone")
    os.kill(server.pids[3], signal.SIGKILL)
    assert is_gone(older)

    def somebody_is_let_in() -> bool:
        try:
            client, _ = login(server, "u1", "phone")
        except (OSError, AssertionError):
            # The connection may have come to a process that was about to end.
            return False
        client.close()
        return True

    wait_for(somebody_is_let_in)


def is_gone(client: ChatClient, within_s: float = PATIENCE_S) -> bool:
    client.socket.settimeout(within_s)
    try:
        return client.receive() is None
    except TimeoutError:
        return False
    finally:
        client.socket.settimeout(PATIENCE_S)


@pytest.mark.parametrize("processes", [0, 2])
def test_sigterm_says_good_bye_and_ends_with_0(data_dir, processes):
    server = ServerProcess(data_dir, access_processes=processes).start()
    client, _ = login(server, "u1", "phone")
    os.kill(server.pid, signal.SIGTERM)
    assert client.expect(GoAway).reason == "draining"
    assert client.receive() is None
    client.close()
    assert server.stop() == 0
    assert not any(map(alive, server.pids))


def test_no_process_outlives_a_killed_server(data_dir):
    server = ServerProcess(data_dir, access_processes=2).start()
    assert len(server.pids) == 4  # the one that stores, two that hold connections, where those come from
    os.kill(server.pid, signal.SIGKILL)
    wait_for(lambda: not any(map(alive, server.pids[1:])))
    server.stop()


@pytest.mark.parametrize("processes", [0, 1])
def test_a_killed_server_comes_back_at_the_same_addresses_with_the_same_messages(data_dir, processes):
    server = ServerProcess(data_dir, tcp_ports=2, access_processes=processes).start()
    urls = [*server.tcp_urls, server.http_url]
    sender, _ = login(server, "u1", "phone")
    sender.send(Send("c1", "u2", "text", b"x"))
    before = sender.expect(Sent)
    server.kill()
    sender.close()
    server.start()
    try:
        assert [*server.tcp_urls, server.http_url] == urls
        again, _ = login(server, "u1", "phone")
        again.send(Send("c1", "u2", "text", b"x"))
        assert again.expect(Sent) == before
    finally:
        server.stop()


def run(*words: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "refserver", *words], capture_output=True, text=True, timeout=120, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--listen", "ftp://127.0.0.1:1"], 2, "cannot listen on 'ftp://127.0.0.1:1'"),
        (["--listen", "tcp://127.0.0.1"], 2, "use tcp://HOST:PORT"),
        (["--listen", "tcp://127.0.0.1:99999"], 2, "use tcp://HOST:PORT"),
        (["--listen", "http://127.0.0.1:0", "--access-processes", "1"], 2, "access processes serve tcp://"),
        (["--listen", "tcp://127.0.0.1:0", "--heartbeat", "0"], 2, "1 to 3600"),
        (["--listen", "tcp://198.51.100.1:0"], 3, "cannot listen on tcp://198.51.100.1:0"),
    ],
)
def test_a_wrong_request_is_one_line(tmp_path, words, code, says):
    got, out, err = run("--data", str(tmp_path), *words)
    assert (got, out, len(err.splitlines())) == (code, "", 1)
    assert says in err


@pytest.mark.parametrize("processes", ["0", "1"])
def test_a_port_in_use_is_one_line(tmp_path, processes):
    with socket.create_server(("127.0.0.1", 0)) as other:
        url = f"tcp://127.0.0.1:{other.getsockname()[1]}"
        code, out, err = run("--data", str(tmp_path), "--listen", url, "--access-processes", processes)
    assert (code, out, len(err.splitlines())) == (3, "", 1)
    assert f"cannot listen on {url}" in err


def test_a_data_directory_that_cannot_be_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    code, _, err = run("--data", str(tmp_path / "file"), "--listen", "tcp://127.0.0.1:0")
    assert (code, len(err.splitlines())) == (3, 1)


def test_a_server_that_does_not_start_says_why(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "chat.db").mkdir()
    (tmp_path / "data" / "secret").mkdir()
    with pytest.raises(ServerFailed, match="cannot be opened"):
        ServerProcess(tmp_path / "data").start()
