"""MQTT 3.1.1 and 5: conversations as topics, persistent sessions, QoS 1 or 2 (docs/foreign-servers.md).

mqtt://HOST:PORT?version=5&qos=2&expiry=600&receive_maximum=100     mqtts://, mqtt+ws://, mqtt+wss://
"""

from dataclasses import replace
from functools import partial
from urllib.parse import SplitResult, parse_qsl

from drivers.contract import Dialect, InWebSocket
from drivers.dialects.mqtt.packets import VERSIONS
from drivers.dialects.mqtt.session import MqttSession, Wishes

_MOST = {"expiry": (1 << 32) - 1, "receive_maximum": 65_535}


def _configured(url: SplitResult) -> Dialect:
    wishes = Wishes()
    for name, value in parse_qsl(url.query, keep_blank_values=True):
        if name == "version":
            if value not in VERSIONS:
                raise ValueError(f"?version={value}: there are {' and '.join(VERSIONS)}")
            wishes = wishes._replace(level=VERSIONS[value])
        elif name == "qos":
            if value not in ("1", "2"):
                raise ValueError(f"?qos={value}: 1 (at least once) and 2 (exactly once) account for messages")
            wishes = wishes._replace(qos=int(value))
        elif name in _MOST:
            if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= _MOST[name]:
                raise ValueError(f"?{name}={value}: a number from 1 to {_MOST[name]:,}")
            field = "expiry_s" if name == "expiry" else name
            wishes = wishes._replace(**{field: int(value)})
    return replace(DIALECT, new_session=partial(MqttSession, wishes))


DIALECT = Dialect(
    name="mqtt",
    new_session=partial(MqttSession, Wishes()),
    offers=frozenset({"multi_device", "offline"}),
    default_port=1883,
    ports={"tls": 8883},
    schemes={"mqtts": "tls"},
    options=frozenset({"version", "qos", *_MOST}),
    configured=_configured,
    framing="mqtt",
    websocket=InWebSocket(path="/mqtt", subprotocol="mqtt"),
    needs_accounts=False,
    enters_rooms=True,
    retransmits=False,
    resumes=True,
)
