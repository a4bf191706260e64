"""Proxies that a killed run has left in somebody else's Toxiproxy."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.control import ToxiproxyControl
from chatproof.promises import Promise, keep_promises_of_the_dead

_SERVE = "from chaos.toxiproxy.server import serve; serve('127.0.0.1', 0, None, 7, True, True)"
_PROMISE_AND_WAIT = """
import sys
from chatproof.promises import Promise
promise = Promise(sys.argv[1])
promise.add("access-1", "127.0.0.1:1")
promise.add("access-2", "127.0.0.1:2")
print("promised", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def control(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ToxiproxyControl]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    server = subprocess.Popen([sys.executable, "-c", _SERVE], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        yield ToxiproxyControl(server.stdout.readline().split()[-1], limit_s=60)
    finally:
        server.terminate()
        server.wait(60)
        server.stdout.close()


@pytest.fixture
def killed(control: ToxiproxyControl) -> None:
    """A process that promised to remove access-1 and access-2, and was killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", _PROMISE_AND_WAIT, control.url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "promised\n"
    assert keep_promises_of_the_dead() == [], "it is alive"
    process.kill()
    process.communicate()


@pytest.mark.usefixtures("killed")
def test_the_next_run_removes_the_proxies_of_a_killed_one_and_no_others(control: ToxiproxyControl) -> None:
    control.create_proxy("access-1", "127.0.0.1:0", "127.0.0.1:1")
    control.create_proxy("access-2", "127.0.0.1:0", "127.0.0.1:99")
    control.create_proxy("mine", "127.0.0.1:0", "127.0.0.1:1")
    assert keep_promises_of_the_dead() == ["access-1"]
    assert sorted(control.proxies()) == ["access-2", "mine"]
    control.create_proxy("access-1", "127.0.0.1:0", "127.0.0.1:1")
    assert keep_promises_of_the_dead() == [], "once is enough"


@pytest.mark.usefixtures("killed")
def test_a_toxiproxy_that_is_gone_holds_nobody_up(control: ToxiproxyControl, tmp_path: Path) -> None:
    for path in tmp_path.rglob("*.json"):
        path.write_text(path.read_text().replace(control.url, "http://127.0.0.1:9"))
    assert keep_promises_of_the_dead() == []
    assert not list(tmp_path.rglob("*.json"))


def test_a_promise_that_is_kept_leaves_nothing(control: ToxiproxyControl, tmp_path: Path) -> None:
    with Promise(control.url) as promise:
        promise.add("access-1", "127.0.0.1:1")
        assert len(list(tmp_path.rglob("*.json"))) == 1
    assert not list(tmp_path.rglob("*.json"))
