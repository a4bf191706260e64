"""ngircd, an IRC server: TCP, without passwords, as IRC has no accounts, and without its limits on floods."""

from collections.abc import Sequence
from pathlib import Path

from chatproof.starting import HOST, Account, Configured, Starter


def configure(folder: Path, accounts: Sequence[Account], ports: Sequence[int]) -> Configured:
    (port,) = ports
    path = folder / "ngircd.conf"
    path.write_text(
        f"""
[Global]
Name = irc.example.net
Info = for tests
Listen = {HOST}
Ports = {port}
MotdPhrase = for tests
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxNickLength = 30
MaxPenaltyTime = 0
PingTimeout = 60
PongTimeout = 20
[Options]
DNS = no
Ident = no
PAM = no
"""
    )
    return Configured([f"irc://{HOST}:{port}"], [STARTER.path, "-n", "-f", str(path)])


STARTER = Starter("ngircd", dialect="irc", program="ngircd", package="ngircd", ports=1, configure=configure)
