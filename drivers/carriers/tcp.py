"""Plain TCP: the session's bytes as they are."""

from drivers.contract import Carrier, Session


def _as_it_is(session: Session) -> Session:
    return session


CARRIER = Carrier(name="tcp", wrap=_as_it_is)
