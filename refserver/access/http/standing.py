"""How the server is, and where it can be reached."""

import msgspec

from refserver.access.http.call import Call
from refserver.access.http.routes import Nothing, route


class Health(msgspec.Struct):
    status: str


class Endpoint(msgspec.Struct):
    """`load`: connections held there now."""

    url: str
    load: int


class Endpoints(msgspec.Struct):
    endpoints: list[Endpoint]


@route("GET", "/healthz", response=Health, public=True)
def health(call: Call, _: Nothing) -> None:
    """200 while requests are taken, 503 while the server drains."""
    call.answer(Health("ok"))


@route("GET", "/v1/endpoints", response=Endpoints, public=True)
def endpoints(call: Call, _: Nothing) -> None:
    """The listeners of this server with their load, for clients that choose an access point."""
    call.answer(Endpoints([Endpoint(url, load) for url, load in call.node.endpoints()]))
