"""Makes the clients of a case and closes them when it is over."""

import itertools
import random
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, Protocol

import gevent.socket

from conformance.accounts import User
from conformance.exposed import PATIENCE, ExposedWeb, ExposedWire, keep_watch
from conformance.phone import Phone
from conformance.strait import Strait
from conformance.target import Target
from conformance.verdicts import not_offered
from conformance.weather import LATE_S, Weather
from conformance.web import Web
from conformance.wirelog import Heard, WireLog, told
from drivers.contract import Identity
from drivers.endpoints import Endpoint
from drivers.events import Closed, ConnectFailed
from drivers.policy import Policy
from drivers.pumps.blocking import Device
from drivers.pumps.overheard import Hear, overheard, overheard_bare
from drivers.pumps.wire import Wire
from protocol.messages import Bye

_QUICK: dict[str, Any] = {
    "heartbeat_s": 2,
    "retransmit_start_s": 0.5,
    "reconnect_base_s": 0.2,
    "reconnect_cap_s": 1.0,
}
"""A client less patient than an app's, so that cases about loss are short."""
_LOGIN_ELSEWHERE_S, _PATIENCE_ELSEWHERE = 20.0, 3.0
"""The cases log in all at once, and a server of one thread may need tenths of a second for each password: a
slow answer is no breach of any clause."""


class Clients:
    """`wire`, `phone` and `device` make clients; leaving the context closes them, the last first.

    With several endpoints wires and phones take them in turn, so that cases cross nodes by themselves.
    """

    def __init__(self, target: Target, dice: random.Random, log: WireLog | None = None) -> None:
        self.log = log or WireLog()
        self._target = target
        self._dice = dice
        self._stack = ExitStack()
        self._turn = itertools.count()

    def __enter__(self) -> "Clients":
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def wire(self, *, compression: bool = False, hear: Hear | None = None) -> Wire:
        """A bare connection, not logged in. `compression`: compressed frames are understood; `hear`: told of
        each frame as it is."""
        return self.wire_to(self._next_endpoint(), compression=compression, hear=hear)

    def _next_endpoint(self) -> Endpoint:
        endpoints = self._target.endpoints
        return endpoints[next(self._turn) % len(endpoints)]

    def wire_to(
        self, endpoint: Endpoint, *, compression: bool = False, hear: Hear | None = None, name: str = ""
    ) -> Wire:
        """The same to a certain access point; `name`: what it is called in the log until its login."""
        if endpoint.dialect.name != "chat":
            not_offered("the case speaks bare frames of the chat protocol")
        heard = self.log.client(name)
        endpoint = overheard_bare(endpoint, heard.frame)
        if hear is not None:
            endpoint = overheard_bare(endpoint, hear)
        weather = self._target.weather
        if weather is None:
            wire = Wire(endpoint, compression=compression)
        else:
            wire = ExposedWire(endpoint, weather, name, compression=compression)
        self._stack.callback(lambda: heard.note("the server had closed") if wire.is_closed else None)
        return self._stack.enter_context(wire)

    def phone(self, user: User, device: str = "phone", *, heartbeat_s: int = 60, version: int = 0) -> Phone:
        """A logged-in connection without a will of its own."""
        wire = self.wire_to(self._next_endpoint(), name=f"{user.user}/{device}")
        phone = Phone(wire, user, device, heartbeat_s, version)
        phone.late_s = 0.0 if self._target.weather is None else LATE_S
        return phone

    def web(self, user: User | None, device: str = "http") -> Web:
        """Short HTTP requests as `user`, or without a token."""
        url = self._target.http_url or self._target.https_url
        if url is None:
            not_offered("the target has no HTTP that the suite knows of (--http URL)")
        token = None if user is None else user.token
        name = "HTTP, no token" if user is None else f"{user.user}/{device} HTTP"
        ca, hear, weather = self._target.ca, self.log.client(name).web, self._target.weather
        if weather is None:
            return self._stack.enter_context(Web(url, token, device, ca=ca, hear=hear))
        return self._stack.enter_context(ExposedWeb(url, token, device, weather, ca=ca, hear=hear))

    def device(
        self,
        user: User,
        name: str = "phone",
        *,
        version: int = 0,
        through: Strait | None = None,
        at: Sequence[Endpoint] = (),
        **policy: Any,
    ) -> Device:
        """A client as an app has it, not started yet. `policy`: fields of Policy other than the quick ones.

        `version`: what the device has already, from an earlier life. `through`: by this way only; `at`: at
        these access points only.
        """
        usual = _QUICK if self._target.speaks_chat else {**_QUICK, "login_timeout_s": _LOGIN_ELSEWHERE_S}
        wanted = Policy(**{**usual, "dice": random.Random(self._dice.random()), **policy})
        identity = Identity(user.user, name, user.token, self._target.rooms_of(user))
        if through is not None:
            at = (through.endpoint,)
        return self.device_at(at or self._device_endpoints(), identity, wanted, version)

    def _device_endpoints(self) -> Sequence[Endpoint]:
        endpoints = self._target.endpoints
        weather = self._target.weather
        return endpoints if weather is None else weather.seekers_ask or endpoints

    def strait(self) -> Strait:
        """A way to the target that the case can close."""
        weather = self._target.weather
        if weather is None:
            return self._stack.enter_context(Strait(self._next_endpoint()))
        return self._stack.enter_context(Strait(self._next_endpoint(), partial(_dial, weather)))

    def device_at(
        self, endpoints: Sequence[Endpoint], identity: Identity, policy: Policy, version: int = 0
    ) -> Device:
        """The same with certain access points and all of its policy."""
        heard = self.log.client(f"{identity.user}/{identity.device}")
        ways = tuple(endpoints)
        if self._target.speaks_chat:
            ways = tuple(overheard(endpoint, heard.frame) for endpoint in endpoints)
        weather = self._target.weather
        source = None if weather is None else weather.source()
        device = Device(ways, identity, policy=policy, version=version, source=source)
        if not self._target.speaks_chat:
            device.patience = _PATIENCE_ELSEWHERE
        if weather is not None:
            device.patience = PATIENCE
            weather.company.add(device)
        self._stack.callback(_note_ends if self._target.speaks_chat else _note_all, device, heard)
        return self._stack.enter_context(device)


def _dial(weather: Weather, address: tuple[str, int]) -> gevent.socket.socket:
    source = weather.source()
    connection = gevent.socket.create_connection(
        address, source_address=None if source is None else (source, 0)
    )
    keep_watch(connection)
    return connection


def _note_ends(device: Device, heard: Heard) -> None:
    for event, at in zip(device.events, device.happened_at, strict=True):
        if isinstance(event, Closed | ConnectFailed):
            heard.note(f"{type(event).__name__}: {event.reason}", at)


def _note_all(device: Device, heard: Heard) -> None:
    """Of a protocol whose frames the log cannot read, what they meant."""
    for event, at in zip(device.events, device.happened_at, strict=True):
        heard.note(told(event), at)


class MakeWire(Protocol):
    """The fixture `wire`."""

    def __call__(self, *, compression: bool = False, hear: Hear | None = None) -> Wire: ...


class MakePhone(Protocol):
    """The fixture `phone`."""

    def __call__(
        self, user: User, device: str = "phone", *, heartbeat_s: int = 60, version: int = 0
    ) -> Phone: ...


class MakeWeb(Protocol):
    """The fixture `web`."""

    def __call__(self, user: User | None, device: str = "http") -> Web: ...


class MakeDevice(Protocol):
    """The fixture `device`."""

    def __call__(
        self,
        user: User,
        name: str = "phone",
        *,
        version: int = 0,
        through: Strait | None = None,
        at: Sequence[Endpoint] = (),
        **policy: Any,
    ) -> Device: ...


class MakeStrait(Protocol):
    """The fixture `strait`."""

    def __call__(self) -> Strait: ...


def farewell(phone: Phone) -> None:
    """The phone has left, and the server has closed the connection."""
    phone.wire.send(Bye())
    phone.wire.expect_closed()
