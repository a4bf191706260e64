"""mosquitto, an MQTT broker: TCP, WebSocket and TLS, with passwords; what it holds is saved each second."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from pathlib import Path

from chatproof.errors import CannotRun
from chatproof.starting import HOST, Account, Configured, Starter, certificate, found


def configure(folder: Path, accounts: Sequence[Account], ports: Sequence[int]) -> Configured:
    ca, chain, key = certificate(folder)
    plain, web, secure = ports
    _write_passwords(folder / "passwords", accounts)
    (folder / "mosquitto.conf").write_text(
        f"""
listener {plain} {HOST}
listener {web} {HOST}
protocol websockets
listener {secure} {HOST}
certfile {chain}
keyfile {key}
user {pwd.getpwuid(os.geteuid()).pw_name}
allow_anonymous false
password_file {folder / "passwords"}
persistence true
persistence_location {folder}/
autosave_interval 1
max_connections -1
max_inflight_messages 100
max_queued_messages 100000
max_queued_bytes 0
set_tcp_nodelay true
"""
    )
    urls = [f"mqtt://{HOST}:{plain}", f"mqtt+ws://{HOST}:{web}", f"mqtt+tls://{HOST}:{secure}?ca={ca}"]
    words = [STARTER.path, "-c", str(folder / "mosquitto.conf")]
    return Configured(urls, words)


def _write_passwords(path: Path, accounts: Sequence[Account]) -> None:
    path.touch(mode=0o600)
    path.write_text("".join(f"{account.user}:{account.secret}\n" for account in accounts))
    hashed = subprocess.run(
        [found("mosquitto_passwd", "mosquitto"), "-U", str(path)], capture_output=True, text=True, check=False
    )
    if hashed.returncode:
        raise CannotRun(f"mosquitto_passwd: {hashed.stderr.strip() or hashed.returncode}")


STARTER = Starter(
    "mosquitto", dialect="mqtt", program="mosquitto", package="mosquitto", ports=3, configure=configure
)
