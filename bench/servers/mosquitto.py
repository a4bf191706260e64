"""mosquitto, an MQTT broker in C (Debian and Ubuntu: package `mosquitto`). Its heartbeat is PINGREQ."""

import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.measured import PeerFailed, last_words, running, wait_until
from bench.peer import Served, Server
from reactor import sockets

_KEEP_ALIVE_S = 600
_PINGREQ = "c000"
_START_S = 10.0
_CONFIG = """listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_connections -1
sys_interval 0
user {user}
"""


@contextmanager
def _serve(folder: Path, connections: int) -> Iterator[Served]:
    config, log = folder / "mosquitto.conf", folder / "mosquitto.log"
    command = [_program() or "mosquitto", "-c", str(config)]
    with sockets.reserve("127.0.0.1") as kept:
        port = kept.getsockname()[1]
        config.write_text(_CONFIG.format(port=port, user="root"))
        yield from _running(command, log, port, connections)


def _running(command: list[str], log: Path, port: int, connections: int) -> Iterator[Served]:
    with running(command, log) as process:
        if not wait_until(lambda: _listens(port), _START_S):
            raise PeerFailed(last_words(log))
        greetings = [_connect(f"d{number}").hex() for number in range(connections)]
        yield Served((process.pid,), port, _PINGREQ, greetings)


def _connect(client_id: str) -> bytes:
    """CONNECT of MQTT 3.1.1: clean session, no will, no user (section 3.1)."""
    name = client_id.encode()
    rest = b"\0\4MQTT\4\2" + _KEEP_ALIVE_S.to_bytes(2, "big") + len(name).to_bytes(2, "big") + name
    return bytes((0x10, len(rest))) + rest


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _program() -> str | None:
    # Debian puts it where only root's PATH leads.
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


PEER = Server("mosquitto (MQTT)", _serve, missing=lambda: None if _program() else "apt-get install mosquitto")
