"""How the server is, and where it can be reached: the scheduler, and names over HTTP (HTTPDNS)."""

import random
from urllib.parse import urlsplit

import msgspec

from protocol.messages import Name
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


class Question(msgspec.Struct):
    """`name`: a host's name; upper and lower case are one."""

    name: Name


class Addresses(msgspec.Struct):
    """`addresses`: in an order to be tried in; `ttl_s`: for how long they may be relied on."""

    name: str
    addresses: list[str]
    ttl_s: int


WILDCARDS = ("0.0.0.0", "::")
"""Hosts of listeners that are reached by any address of the machine."""
TTL_S = 60


@route("GET", "/v1/endpoints", response=Endpoints, public=True)
def endpoints(call: Call, _: Nothing) -> None:
    """The access points of this server with their load, least loaded first.

    Among those of equal load the order is drawn anew for each answer.
    """
    found = list(call.node.endpoints())
    random.shuffle(found)
    found.sort(key=lambda each: each[1])
    call.answer(Endpoints([Endpoint(_reachable(url, call), load) for url, load in found]))


def _reachable(url: str, call: Call) -> str:
    parts = urlsplit(url)
    if parts.hostname not in WILDCARDS:
        return url
    host = call.node.reached_by(call)
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{parts.port}"


@route("GET", "/v1/resolve", request=Question, response=Addresses, public=True, refusals=(404,))
def resolve(call: Call, question: Question) -> None:
    """The addresses of a name, for clients that cannot trust the resolver of their network (HTTPDNS)."""
    name = question.name.lower().rstrip(".")
    addresses = call.node.names.get(name)
    if addresses is None:
        call.fail(404, f"no address is known of {question.name}")
    else:
        call.answer(Addresses(name, list(addresses), TTL_S))
