"""What a target's URL says beyond the address: `xmpp://DOMAIN@HOST:PORT?sasl=PLAIN`.

DOMAIN is that of the users; without one it is HOST.
"""

from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, unquote

from drivers.dialects.xmpp.elements import CLIENT, FRAMING, PING, STREAMS, escaped
from drivers.dialects.xmpp.sasl import MECHANISMS

OPTIONS = frozenset({"sasl", "rooms", "archive", "receipts", "beat"})
_BEATS = ("ping", "request")
_YES, _NO = "yes", "no"


@dataclass(frozen=True, slots=True)
class Target:
    """`rooms`: domain of the group chat service. `mechanisms`: acceptable ones, best first. `archive`:
    whether what was missed is asked for. `receipts`: whether recipients are asked to confirm. `beat`: what a
    heartbeat is, see `session`. `is_framed`: inside a WebSocket (RFC 7395). `is_guess`: nobody said that
    `rooms` is what that service is called.
    """

    domain: str
    rooms: str
    mechanisms: tuple[str, ...] = MECHANISMS
    archive: bool = True
    receipts: bool = False
    beat: str = "ping"
    is_framed: bool = False
    is_guess: bool = False

    @property
    def namespace(self) -> str:
        """What every stanza has to declare."""
        return f" xmlns='{CLIENT}'" if self.is_framed else ""

    @property
    def header(self) -> bytes:
        """What opens a stream."""
        to = escaped(self.domain)
        if self.is_framed:
            return f"<open xmlns='{FRAMING}' to='{to}' version='1.0'/>".encode()
        return (
            f"<?xml version='1.0'?><stream:stream xmlns='{CLIENT}' xmlns:stream='{STREAMS}' to='{to}' "
            "version='1.0'>"
        ).encode()

    @property
    def end(self) -> bytes:
        """What closes it."""
        return f"<close xmlns='{FRAMING}'/>".encode() if self.is_framed else b"</stream:stream>"

    @property
    def ping(self) -> bytes:
        """A heartbeat in the words of XEP-0199."""
        return (
            f"<iq{self.namespace} type='get' id='{PING_ID}' to='{escaped(self.domain)}'>"
            f"<ping xmlns='{PING}'/></iq>"
        ).encode()


PING_ID = "beat"


def target_of(url: SplitResult, *, is_framed: bool = False) -> Target:
    """Raises ValueError for what makes no sense."""
    domain = unquote(url.username or url.hostname or "")
    if not domain or any(sign in domain for sign in "/@ ") or url.password is not None:
        raise ValueError(f"no domain of users; write {url.scheme}://DOMAIN@HOST:PORT")
    query = {name: values[-1] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
    mechanisms = tuple(name for name in query.get("sasl", ",".join(MECHANISMS)).upper().split(",") if name)
    if not mechanisms or set(mechanisms) - set(MECHANISMS):
        raise ValueError(f"?sasl= takes any of {', '.join(MECHANISMS)}, not {query.get('sasl')!r}")
    beat = query.get("beat", _BEATS[0])
    if beat not in _BEATS:
        raise ValueError(f"?beat= is {' or '.join(_BEATS)}, not {beat!r}")
    return Target(
        domain=domain.lower(),
        rooms=query.get("rooms") or f"conference.{domain.lower()}",
        is_guess=not query.get("rooms"),
        mechanisms=mechanisms,
        archive=_is_yes(query, "archive", _YES),
        receipts=_is_yes(query, "receipts", _NO),
        beat=beat,
        is_framed=is_framed,
    )


def _is_yes(query: dict[str, str], name: str, default: str) -> bool:
    value = query.get(name, default)
    if value not in (_YES, _NO):
        raise ValueError(f"?{name}= is {_YES} or {_NO}, not {value!r}")
    return value == _YES
