"""Names to addresses, once, before anything is measured."""

from dataclasses import replace

import gevent.socket

from drivers.endpoints import Endpoint, TargetError


def resolved(endpoint: Endpoint) -> Endpoint:
    """The endpoint with an address for its host name. Raises TargetError when the name is unknown.

    That of a scheduler stays a name: who looks for a way in asks for its addresses, and not only the system.
    """
    if endpoint.origin is not None:
        return endpoint
    try:
        found = gevent.socket.getaddrinfo(endpoint.host, endpoint.port, type=gevent.socket.SOCK_STREAM)
    except OSError as error:
        raise TargetError(f"target {endpoint.url!r}: {endpoint.host}: {error.strerror or error}") from error
    return replace(endpoint, host=str(found[0][4][0]))
