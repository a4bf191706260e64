"""prosody, an XMPP server: TCP, TLS and WebSocket, with acknowledgements, archive, carbons and rooms."""

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from chatproof.starting import HOST, Account, Configured, Starter, certificate

DOMAIN = "localhost"


def configure(folder: Path, accounts: Sequence[Account], ports: Sequence[int]) -> Configured:
    ca, chain, key = certificate(folder)
    plain, secure, web = ports
    data = folder / "data"
    users = data / quote(DOMAIN) / "accounts"
    users.mkdir(parents=True)
    for account in accounts:
        # What `prosodyctl register` would write, a thousand times as fast; hashed with the first login.
        path = users / f"{_escaped(account.user)}.dat"
        path.write_text(f'return {{ ["password"] = "{account.secret}"; }};\n')
    (folder / "prosody.cfg.lua").write_text(
        f"""
run_as_root = {str(os.geteuid() == 0).lower()}
data_path = "{data}"
pidfile = "{folder / "prosody.pid"}"
plugin_paths = {{}}
interfaces = {{ "{HOST}" }}
c2s_ports = {{ {plain} }}
c2s_direct_tls_ports = {{ {secure} }}
s2s_ports = {{}}
http_ports = {{ {web} }}
https_ports = {{}}
http_interfaces = {{ "{HOST}" }}
modules_enabled = {{
  "roster", "saslauth", "tls", "disco", "ping", "register", "carbons", "smacks", "mam", "offline",
  "websocket", "presence", "message", "iq", "c2s", "http",
}}
modules_disabled = {{ "s2s", "limits" }}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
allow_registration = true
authentication = "internal_plain"
storage = "internal"
consider_websocket_secure = true
smacks_hibernation_time = 120
smacks_max_queue_size = 10000
default_archive_policy = true
archive_expires_after = "1d"
max_archive_query_results = 250
network_settings = {{ tcp_backlog = 4096 }}
log = {{ warn = "*console" }}
ssl = {{ certificate = "{chain}", key = "{key}" }}
http_host = "{HOST}"
VirtualHost "{DOMAIN}"
  http_host = "{HOST}"
Component "conference.{DOMAIN}" "muc"
  modules_enabled = {{ "muc_mam" }}
  restrict_room_creation = false
  muc_log_by_default = true
"""
    )
    urls = [
        f"xmpp://{DOMAIN}@{HOST}:{plain}",
        f"xmpps://{DOMAIN}@{HOST}:{secure}?ca={ca}",
        f"xmpp+ws://{DOMAIN}@{HOST}:{web}",
    ]
    words = [STARTER.path, "-F", "--config", str(folder / "prosody.cfg.lua")]
    return Configured(urls, words)


def _escaped(user: str) -> str:
    """A name as prosody has it on disk: everything but letters and digits as %xx."""
    return "".join(sign if sign.isalnum() else f"%{ord(sign):02x}" for sign in user)


STARTER = Starter(
    "prosody", dialect="xmpp", program="prosody", package="prosody", ports=3, configure=configure
)
