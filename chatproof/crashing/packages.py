"""Packages: sent by a device of their own, again over a new connection until they are answered."""

import random
import time

import gevent
import gevent.event

from chatproof.crashing.chronicle import Chronicle
from chatproof.crashing.people import People
from chatproof.crashing.register import Register
from chatproof.crashing.traffic import Traffic
from drivers.endpoints import Endpoint
from drivers.pumps.wire import Expected, Wire
from protocol.messages import Error, Item, LoggedIn, Login, Message, PackageSent, Push, Pushed, SendPackage

_ITEMS = (2, 8)
_PAUSE_S = 0.05
_RETURN_S = 0.05
_ANSWER_S = 3.0


class Packer:
    """One user's device for packages; it sends one after the other between `talk` and `fall_silent`."""

    def __init__(
        self, endpoint: Endpoint, people: People, device: int, traffic: Traffic,
        register: Register, chronicle: Chronicle, dice: random.Random,
    ) -> None:  # fmt: skip
        self._endpoint = endpoint
        self._identity = people.identity(device)
        self._device = device
        self._traffic = traffic
        self._register = register
        self._chronicle = chronicle
        self._dice = dice
        self._wire: Wire | None = None
        self._is_talking = False
        self._greenlet: gevent.Greenlet[..., None] | None = None
        self.sent = 0
        self.repeated = 0

    def talk(self) -> None:
        self._is_talking = True
        self._greenlet = gevent.spawn(self._talk)

    def fall_silent(self) -> None:
        """The package under way is the last."""
        self._is_talking = False

    def await_rest(self, timeout_s: float) -> bool:
        """The last package was answered. Raises Expected with what came instead of an answer."""
        if self._greenlet is None:
            return True
        self._greenlet.join(timeout_s)
        if self._greenlet.exception is not None:
            raise self._greenlet.exception
        return self._greenlet.dead

    def close(self) -> None:
        if self._greenlet is not None:
            self._greenlet.kill()
        self._hang_up()

    def _hang_up(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def _talk(self) -> None:
        while self._is_talking:
            to, conversation = self._traffic.recipient(self._device, self._dice)
            count = self._dice.randint(*_ITEMS)
            letters = [self._traffic.letter(self._device, conversation) for _ in range(count)]
            first = letters[0][0]
            frame = SendPackage(self._traffic.cid(first), to, [Item("text", body) for _, body in letters])
            bodies = [body for _, body in letters]
            self._register.packed(bodies)
            answer = self._send_until_answered(frame)
            self._chronicle.package_acknowledged(first, answer)
            for body, placed in zip(bodies, answer.placed, strict=True):
                self._register.acknowledged(body, placed.mid, placed.sequence)
            gevent.sleep(self._dice.uniform(0.0, _PAUSE_S))

    def _send_until_answered(self, frame: SendPackage) -> PackageSent:
        self.sent += 1
        is_repeat = False
        while True:
            try:
                wire = self._wire or self._connect()
                self.repeated += is_repeat
                is_repeat = True
                wire.send(frame)
                answer = self._answer(wire, frame.cid)
            except (OSError, Expected):
                answer = None
            if isinstance(answer, PackageSent):
                return answer
            if isinstance(answer, Error):
                who = f"{self._identity.user}/{self._identity.device}"
                raise Expected(f"{who}: a package was refused with {answer.code} {answer.text}")
            self._hang_up()
            gevent.sleep(_RETURN_S)

    def _connect(self) -> Wire:
        self._wire = wire = Wire(self._endpoint, timeout_s=_ANSWER_S)
        wire.send(Login(self._identity.secret, self._identity.device))
        wire.expect(LoggedIn, _ANSWER_S)
        return wire

    def _answer(self, wire: Wire, cid: str) -> Message | None:
        until = time.monotonic() + _ANSWER_S
        while True:
            message = wire.next(max(0.001, until - time.monotonic()))
            if isinstance(message, Push):
                wire.send(Pushed(message.version))
            elif message is None or (isinstance(message, PackageSent | Error) and message.cid == cid):
                return message
