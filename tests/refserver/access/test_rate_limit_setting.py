"""The limit of a whole server, over TCP with access in processes of its own and over HTTP."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from base64 import b64encode

import pytest
from besieged import Server

from protocol.messages import Error, Send, Sent
from refserver import accounts
from refserver.business.limiting import RateLimit
from refserver.process import ServerProcess


@pytest.fixture
def data_dir(tmp_path):
    accounts.add(tmp_path, ["u1", "u2"])
    accounts.befriend(tmp_path, ["u1", "u2"])
    return tmp_path


def test_every_door_of_a_server_has_the_same_limit(data_dir):
    with ServerProcess(data_dir, access_processes=1, rate_limit=RateLimit(0.001, burst=2)) as process:
        server = Server(process)
        client = server.client("u1")
        client.send(*(Send(f"c{number}", "u2", "text", b"") for number in range(3)))
        assert [type(client.receive()) for _ in range(3)] == [Sent, Sent, Error]
        client.close()
        body = {"cid": "c3", "to": "u2", "kind": "text", "body": b64encode(b"").decode()}
        request = urllib.request.Request(
            f"{process.http_url}/v1/messages",
            json.dumps(body).encode(),
            {"Authorization": f"Bearer {server.token('u1')}"},
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request)
        assert refused.value.code == 429
        assert 900 < int(refused.value.headers["Retry-After"]) <= 1000


@pytest.mark.parametrize("words", [["--rate-limit", "-1"], ["--rate-limit", "1", "--rate-burst", "0"]])
def test_a_limit_that_cannot_be_is_one_line(data_dir, words):
    command = [sys.executable, "-m", "refserver", "--listen", "tcp://127.0.0.1:0", "--data", str(data_dir)]
    done = subprocess.run([*command, *words], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert "see --rate-limit and --rate-burst" in done.stderr
