"""From the first byte to a stream that is bound to a resource, or resumed (RFC 6120, sections 5 to 7).

| step     | waits for                  | then says                         | and waits for      |
|----------|----------------------------|-----------------------------------|--------------------|
| OFFERED  | features with mechanisms   | the best mechanism, first message | PROVING            |
| PROVING  | challenge                  | its answer                        | PROVING            |
| PROVING  | success                    | a new stream                      | CHOOSING           |
| CHOOSING | features with stream mgmt. | resume, if there is what to       | RESUMING           |
| CHOOSING | features                   | bind                              | BINDING            |
| RESUMING | resumed                    | –                                 | RESUMED            |
| RESUMING | failed                     | bind                              | BINDING            |
| BINDING  | result                     | –                                 | BOUND              |
"""

import enum
from base64 import b64decode, b64encode
from collections.abc import Callable
from xml.etree.ElementTree import Element

from drivers.contract import Identity
from drivers.dialects.xmpp import addresses, elements, sasl
from drivers.dialects.xmpp.elements import (
    BIND,
    CLIENT,
    MANAGEMENT,
    SASL,
    SESSION,
    STANZA_ERRORS,
    STREAMS,
    TLS,
    escaped,
    named,
)
from drivers.dialects.xmpp.management import Management, Unacknowledged
from drivers.dialects.xmpp.target import Target
from protocol.errors import ErrorCode, RemoteProtocolError

_BIND_ID = "bind"
_MORE_OVER_TLS = "; it may over TLS: write xmpp+starttls:// (or xmpps:// where it listens for TLS)"
_AGAIN_LATER = ("temporary-auth-failure", "aborted")
_NOT_PERMITTED = ("account-disabled", "credentials-expired")


class Step(enum.Enum):
    OFFERED = enum.auto()
    PROVING = enum.auto()
    CHOOSING = enum.auto()
    RESUMING = enum.auto()
    BINDING = enum.auto()
    BOUND = enum.auto()
    RESUMED = enum.auto()


class Turned(Exception):
    """The server does not let this user in; `is_final` if trying again with the same password is no use."""

    def __init__(self, code: int, text: str, *, is_final: bool) -> None:
        super().__init__(text)
        self.code = code
        self.is_final = is_final


class Login:
    """Exists until the session is in. `stream`: the management of the stream before, to be resumed.

    `settled`: sends of that stream that the server says it has handled. `manages`, `has_session`: what the
    features offer.
    """

    __slots__ = ("_identity", "_mechanism", "_target", "has_session", "manages", "settled", "step", "stream")

    def __init__(self, identity: Identity, target: Target, stream: Management | None) -> None:
        self._identity = identity
        self._target = target
        self._mechanism: sasl.Mechanism | None = None
        self.stream = stream
        self.step = Step.OFFERED
        self.settled: list[Unacknowledged] = []
        self.manages = False
        self.has_session = False

    def heard(self, element: Element) -> bytes:
        """What to say to it. Raises Turned and RemoteProtocolError."""
        answer = _TRANSITIONS.get((self.step, element.tag))
        if answer is None:
            raise RemoteProtocolError(f"{element.tag.rpartition('}')[2][:40]} before the login was answered")
        try:
            return answer(self, element)
        except sasl.SaslError as error:
            raise Turned(ErrorCode.NOT_LOGGED_IN, f"SASL: {error}", is_final=True) from None

    # -- who it is --

    def _offered(self, features: Element) -> bytes:
        starttls = features.find(named(TLS, "starttls"))
        if starttls is not None and starttls.find(named(TLS, "required")) is not None:
            raise Turned(
                ErrorCode.NOT_PERMITTED,
                "the server requires TLS: write xmpp+starttls:// (or xmpps:// where it listens for TLS)",
                is_final=True,
            )
        offered = {each.text or "" for each in features.iter(named(SASL, "mechanism"))}
        name = next((name for name in self._target.mechanisms if name in offered), None)
        if name is None:
            raise Turned(
                ErrorCode.NOT_PERMITTED,
                f"the server offers {', '.join(sorted(offered)) or 'no mechanism'}, "
                f"not {' or '.join(self._target.mechanisms)}"
                f"{'' if starttls is None else _MORE_OVER_TLS}",
                is_final=True,
            )
        user = addresses.user_address(self._identity.user, self._target.domain).rpartition("@")[0]
        self._mechanism = sasl.mechanism(name, user, self._identity.secret)
        self.step = Step.PROVING
        first = b64encode(self._mechanism.first()).decode()
        return f"<auth xmlns='{SASL}' mechanism='{name}'>{first}</auth>".encode()

    def _challenged(self, challenge: Element) -> bytes:
        assert self._mechanism is not None, "chosen before"
        answer = self._mechanism.answer(_decoded(challenge))
        return f"<response xmlns='{SASL}'>{b64encode(answer).decode()}</response>".encode()

    def _succeeded(self, success: Element) -> bytes:
        assert self._mechanism is not None, "chosen before"
        self._mechanism.finish(_decoded(success))
        self._mechanism = None
        self.step = Step.CHOOSING
        return self._target.header

    def _failed(self, failure: Element) -> bytes:
        what = elements.condition(failure, SASL)
        code = ErrorCode.NOT_PERMITTED if what in _NOT_PERMITTED else ErrorCode.NOT_LOGGED_IN
        raise Turned(code, elements.said(failure, SASL), is_final=what not in _AGAIN_LATER)

    # -- which stream it is --

    def _choose(self, features: Element) -> bytes:
        self.manages = features.find(named(MANAGEMENT, "sm")) is not None
        session = features.find(named(SESSION, "session"))
        self.has_session = session is not None and session.find(named(SESSION, "optional")) is None
        stream = self.stream
        if stream is None or not stream.token or not self.manages:
            return self._bind()
        self.step = Step.RESUMING
        token = escaped(stream.token)
        return f"<resume xmlns='{MANAGEMENT}' h='{stream.handled}' previd='{token}'/>".encode()

    def _resumed(self, resumed: Element) -> bytes:
        assert self.stream is not None, "resumed before"
        self.settled = self.stream.resumed(resumed.get("h"))
        self.step = Step.RESUMED
        return b""

    def _not_resumed(self, failed: Element) -> bytes:
        # Since its version 1.5 the specification has the server say how far it was, if it still knows.
        if self.stream is not None and failed.get("h") is not None:
            self.settled = self.stream.resumed(failed.get("h"))
        self.stream = None
        return self._bind()

    def _bind(self) -> bytes:
        self.stream = None
        self.step = Step.BINDING
        return (
            f"<iq{self._target.namespace} type='set' id='{_BIND_ID}'><bind xmlns='{BIND}'>"
            f"<resource>{escaped(self._identity.device)}</resource></bind></iq>"
        ).encode()

    def _bound(self, answer: Element) -> bytes:
        if answer.get("id") != _BIND_ID:
            raise RemoteProtocolError("an answer to nothing before the login was answered")
        if answer.get("type") != "result":
            error = answer.find(named(CLIENT, "error"))
            why = "" if error is None else elements.said(error, STANZA_ERRORS)
            raise Turned(ErrorCode.NOT_PERMITTED, f"no resource: {why}", is_final=False)
        self.step = Step.BOUND
        return b""


def _decoded(element: Element) -> bytes:
    text = (element.text or "").strip()
    if text in ("", "="):
        return b""
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise RemoteProtocolError("SASL data that is not base64") from None


_FEATURES = named(STREAMS, "features")
_TRANSITIONS: dict[tuple[Step, str], Callable[[Login, Element], bytes]] = {
    (Step.OFFERED, _FEATURES): Login._offered,
    (Step.PROVING, named(SASL, "challenge")): Login._challenged,
    (Step.PROVING, named(SASL, "success")): Login._succeeded,
    (Step.PROVING, named(SASL, "failure")): Login._failed,
    (Step.CHOOSING, _FEATURES): Login._choose,
    (Step.RESUMING, named(MANAGEMENT, "resumed")): Login._resumed,
    (Step.RESUMING, named(MANAGEMENT, "failed")): Login._not_resumed,
    (Step.BINDING, named(CLIENT, "iq")): Login._bound,
}
