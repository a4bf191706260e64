"""`chat+scheduler://NAME:PORT?…`: everything an app is built with to find its servers."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qsl

PORTS = (14000, 443, 8080, 80)
"""The ports that networks let through, the one for chat first."""
PLAIN = ("tcp", "ws", "longpoll", "shortpoll")
SECURE = ("tls", "wss")
_RANKS = {"tcp": 0, "tls": 0, "ws": 1, "wss": 1, "longpoll": 2, "shortpoll": 3}
_MOST_LISTED = 16


def rank(carrier: str) -> int:
    """0 for a bare connection, more for each step down the ladder."""
    return _RANKS[carrier]


@dataclass(frozen=True, slots=True)
class Origin:
    """`name`: of the service, and who its certificate is for. `is_secure`: the scheduler is asked over TLS,
    and no carrier without it is used unless `carriers` says so. `httpdns`: servers that are asked for
    addresses of `name`; `fallback`: addresses built in. `ports`: what is tried at a bare address.
    `proxy`: requests may go through there, besides directly. `ca`: PEM of the authorities to trust, "" for
    those of the system."""

    name: str
    port: int
    is_secure: bool
    httpdns: tuple[tuple[str, int], ...] = ()
    fallback: tuple[str, ...] = ()
    ports: tuple[int, ...] = PORTS
    carriers: tuple[str, ...] = PLAIN
    proxy: tuple[str, int] | None = None
    ca: str = ""

    @property
    def address(self) -> str | None:
        """Where the name leads if it is an address itself."""
        return self.name if is_address(self.name) else None


def parse_origin(url: SplitResult, *, is_secure: bool) -> Origin:
    """Raises ValueError for what cannot be meant."""
    listed: dict[str, list[str]] = {}
    for option, value in parse_qsl(url.query, keep_blank_values=True):
        listed.setdefault(option, []).extend(value.split(","))
    unknown = listed.keys() - {"httpdns", "fallback", "ports", "carriers", "proxy", "ca"}
    if unknown:
        raise ValueError(
            f"?{min(unknown)}= means nothing here; httpdns, fallback, ports, carriers, proxy and ca do"
        )
    if any(len(values) > _MOST_LISTED for values in listed.values()):
        raise ValueError(f"no more than {_MOST_LISTED} of each can be listed")
    carriers = tuple(listed.get("carriers", SECURE if is_secure else PLAIN))
    strange = [name for name in carriers if name not in _RANKS]
    if strange:
        raise ValueError(f"carriers={strange[0]}: the carriers are {', '.join(_RANKS)}")
    fallback = tuple(listed.get("fallback", ()))
    for address in fallback:
        if not is_address(address):
            raise ValueError(f"fallback={address}: an address is built in, not a name")
    proxies = [host_and_port(each, "proxy", 8080) for each in listed.get("proxy", ())]
    httpdns = [host_and_port(each, "httpdns", 80) for each in listed.get("httpdns", ())]
    if len(proxies) > 1:
        raise ValueError("there is one proxy=, or none")
    for option, asked in (("proxy", proxies), ("httpdns", httpdns)):
        for host, _ in asked:
            if not is_address(host):
                raise ValueError(f"{option}={host}: an address is needed, where names may not be resolved")
    return Origin(
        url.hostname or "",
        url.port or (443 if is_secure else 80),
        is_secure,
        tuple(httpdns),
        fallback,
        tuple(_port(each) for each in listed.get("ports", map(str, PORTS))),
        carriers,
        proxies[0] if proxies else None,
        listed.get("ca", [""])[-1],
    )


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise ValueError(f"ports={text}: a port is 1 to 65535")
    return int(text)


def host_and_port(text: str, option: str, default: int) -> tuple[str, int]:
    """Of `HOST:PORT`, or HOST alone. Raises ValueError that names the option."""
    host, colon, port = text.rpartition(":")
    if not colon or (":" in host and not host.startswith("[")):
        host, port = text, str(default)
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"{option}={text}: write HOST:PORT")
    return host.strip("[]"), int(port)


def is_address(text: str) -> bool:
    """Whether it is an IP address and no name."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
