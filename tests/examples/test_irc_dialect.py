"""The dialect of docs/your-own-dialect.md: its session without a socket, and all of it with ngircd."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproof import starting
from chatproof.errors import CannotRun
from drivers.contract import Ended, Identity, Outgoing, Ponged, Received
from drivers.events import Acked, CloseReason, LoggedIn, Rejected

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "irc_dialect"
GUIDE = ROOT / "docs" / "your-own-dialect.md"
sys.path.insert(0, str(EXAMPLE))

from chatproof_irc.lines import Pieces, parse, parts  # noqa: E402
from chatproof_irc.session import IrcSession  # noqa: E402

BODY = bytes(range(256)) * 4


def entered() -> IrcSession:
    session = IrcSession()
    session.login(Identity("ann", "phone", "", rooms=("g:ann",)), 0, 60)
    assert session.take() == b"NICK ann\r\nUSER phone 0 * :chatproof\r\n"
    assert session.receive(b":irc 001 ann :welcome\r\n") == []
    assert session.take() == b"JOIN #ann\r\nPING :entered\r\n"
    assert session.receive(b":irc PONG irc :entered\r\n") == [LoggedIn("ann", 0, 0, 0.0, (), "")]
    return session


def test_a_message_is_acknowledged_by_the_pong_behind_it() -> None:
    session = entered()
    session.submit(Outgoing("c1", "bob", "text", b"hello", 7), 1)
    privmsg, ping = session.take().splitlines()
    assert privmsg.startswith(b"PRIVMSG bob :c1 0 . ")
    assert ping == b"PING :c1"
    assert session.receive(b":irc PONG irc :c1\r\n") == [Acked("c1", None, "ann:bob", None, None, None, 0)]
    assert session.receive(b":irc PONG irc :c1\r\n") == []


def test_nobody_there_is_a_definite_error_and_no_acknowledgement() -> None:
    session = entered()
    session.submit(Outgoing("c1", "bob", "text", b"hello", 7), 1)
    found = session.receive(b":irc 401 ann bob :No such nick\r\n:irc PONG irc :c1\r\n")
    assert found == [Rejected("c1", 401, "No such nick")]


@pytest.mark.parametrize(("to", "conversation"), [("bob", "ann:bob"), ("#team", "g:team")])
def test_what_comes_is_whole_wherever_the_bytes_are_cut(to: str, conversation: str) -> None:
    outgoing = Outgoing("c1", to, "text", BODY, 7)
    data = b"".join(f":ann!~phone@host PRIVMSG {to} :{text}\r\n".encode() for text in parts(outgoing))
    assert max(map(len, data.splitlines())) < 512
    for at in range(0, len(data), 7):
        session = entered()
        (event,) = session.receive(data[:at]) + session.receive(data[at:])
        assert isinstance(event, Received)
        assert (event.entry.body, event.entry.conversation, event.key) == (BODY, conversation, "ann/c1")


@given(st.binary(max_size=2000), st.text(max_size=8), st.integers(0, 1 << 50))
def test_any_message_survives_its_lines(body: bytes, kind: str, sent_at_ms: int) -> None:
    pieces, outgoing = Pieces(), Outgoing("c1", "bob", kind, body, sent_at_ms)
    *begun, whole = [pieces.add("ann", text) for text in parts(outgoing)]
    assert whole == ("c1", kind, sent_at_ms, body)
    assert not any(begun)


@given(st.binary(max_size=200))
def test_no_line_raises(line: bytes) -> None:
    parse(line)
    entered().receive(b":bob PRIVMSG ann :" + line.replace(b"\n", b"") + b"\n")


def test_heartbeats_of_both_sides_and_a_name_that_is_taken() -> None:
    session = entered()
    session.ping()
    assert session.take() == b"PING :beat\r\n"
    assert session.receive(b"PING :irc\r\n:irc PONG irc :beat\r\n") == [Ponged(None, None)]
    assert session.take() == b"PONG :irc\r\n"
    found = session.receive(b":irc 433 * ann :Nickname already in use\r\n")
    assert found == [Ended(CloseReason.ERROR, "Nickname already in use", retry_after_s=0.5)]


def test_the_guide_shows_the_code_as_it_is() -> None:
    sources = "\n".join(
        path.read_text()
        for path in [*EXAMPLE.glob("*/*.py"), *EXAMPLE.glob("*.toml"), *EXAMPLE.glob("*/*.toml")]
    )
    blocks = re.findall(r"(?:^    .*\n|^\n(?=    ))+", GUIDE.read_text(), re.M)
    parts_of_blocks = [part for block in blocks for part in re.split(r"\n\n+(?= +def )", block)]
    shown = [re.sub(r"^    ", "", part, flags=re.M).strip("\n") for part in parts_of_blocks]
    code = [block for block in shown if not block.startswith(("$ ", "session = "))]
    assert len(code) >= 10
    for block in code:
        assert block in sources, f"the guide shows what is not in {EXAMPLE.name}:\n{block}"


def test_it_is_less_than_150_lines_of_code() -> None:
    code = [
        line
        for path in EXAMPLE.glob("*/*.py")
        for line in re.sub(r'""".*?"""', "", path.read_text(), flags=re.S).splitlines()
        if line.strip() and not line.strip().startswith("#")
    ]
    assert len(code) < 150


def test_nothing_of_ours_knows_of_it_but_the_starter() -> None:
    rooms = ("drivers", "conformance", "scenarios", "ledger", "chaos", "reports", "chatproof", "reactor")
    knowing = {
        str(path.relative_to(ROOT))
        for room in rooms
        for path in (ROOT / room).rglob("*.py")
        if re.search(r"chatproof_irc|\bPRIVMSG\b|ngircd", path.read_text())
    }
    assert knowing - {"chatproof/starters/ngircd.py"} <= {
        "chatproof/commands/conform.py", "chatproof/commands/run.py",
    }, "only the starter, and help texts that name it"  # fmt: skip


# -- with ngircd


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a shell in which the package was installed, so that its entry point is found."""
    folder = tmp_path_factory.mktemp("irc")
    # Building leaves files beside the source.
    shutil.copytree(EXAMPLE, folder / "source")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index",
         "--target", str(folder / "site"), str(folder / "source")],
        check=True, env={**os.environ, "PIP_USER": "0"},
    )  # fmt: skip
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder / "site"), str(ROOT)])}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[starting.Started]:
    try:
        started = starting.start("ngircd", tmp_path_factory.mktemp("ngircd") / "server", 20)
    except CannotRun as error:
        pytest.skip(str(error))
    yield started
    started.stop()


Chatproof = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def chatproof(installed: dict[str, str], server: starting.Started, tmp_path: Path) -> Chatproof:
    def run(command: str, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "chatproof", command, "--target", server.urls[0], *words],
            env=installed, cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


def test_it_passes_what_irc_promises_and_nothing_else_is_asked_of_it(chatproof: Chatproof) -> None:
    done = chatproof("conform", "--clause", "CHN.2", "--clause", "ROM.*")
    found = dict(re.findall(r"^([A-Z]{3}\.\d+) +\S+ +(pass|fail|unknown|not offered)", done.stdout, re.M))
    assert found == {
        "CHN.2": "pass",
        "ROM.1": "not offered", "ROM.2": "not offered", "ROM.4": "not offered", "ROM.5": "not offered",
    }, done.stdout + done.stderr  # fmt: skip
    assert done.returncode == 0


def test_a_swarm_chats_over_it_and_every_message_is_accounted_for(chatproof: Chatproof) -> None:
    done = chatproof(
        "run", "--scenario", "chat", "--connections", "20", "--rate", "20", "--duration", "2s",
        "--ramp", "1s", "--heartbeat", "2", "--set", "cohort=10", "--no-report",
    )  # fmt: skip
    found = re.search(r"completeness +pass +sent (\d+) +acked (\d+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert int(found[1]) == int(found[2]) > 10
    assert done.returncode in (0, 99), done.stdout
