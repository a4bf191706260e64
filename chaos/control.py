"""The one place that talks to a Toxiproxy, ours or the original: toxiproxy-python with checks and limits."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from toxiproxy.api import APIConsumer
from toxiproxy.exceptions import InvalidToxic, NotFound, ProxyExists

from chaos.errors import ToxiproxyError

DEFAULT_PORT = 8474
_STATUSES = {ProxyExists: 409, NotFound: 404, InvalidToxic: 400}


@dataclass(frozen=True, slots=True)
class ProxyState:
    """A proxy as the server shows it; `toxics` are their names."""

    name: str
    listen: str
    upstream: str
    enabled: bool
    toxics: tuple[str, ...]


class ToxiproxyControl:
    """Every method raises ToxiproxyError, with one line, for whatever is not the answer expected.

    No call takes longer than about `limit_s` seconds. The package keeps one server for the whole process and
    lets most errors pass, so each control has an APIConsumer of its own and looks at every status.
    """

    def __init__(self, url: str, *, limit_s: float = 20.0) -> None:
        parts = urlsplit(url if "//" in url else f"//{url}", scheme="http")
        try:
            host, port = parts.hostname, parts.port or DEFAULT_PORT
        except ValueError:
            host, port = None, 0
        if not host or parts.scheme != "http":
            raise ToxiproxyError(f"{url!r} is no address of a Toxiproxy; write http://HOST:{DEFAULT_PORT}")
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        self._limit_s = limit_s
        bracketed = f"[{host}]" if ":" in host else host
        self._api: Any = type("Consumer", (APIConsumer,), {"host": bracketed, "port": port})

    def version(self) -> str:
        """What the server says of itself."""
        return str(self._json(self._api.get, "/version", (200,)).get("version", "unknown"))

    def proxies(self) -> dict[str, ProxyState]:
        """All proxies by name."""
        found = self._json(self._api.get, "/proxies", (200,))
        return {str(name): _state(proxy) for name, proxy in found.items()}

    def create_proxy(self, name: str, listen: str, upstream: str) -> str:
        """The address where it listens; `listen` may end in :0."""
        body = {"name": name, "listen": listen, "upstream": upstream, "enabled": True}
        return _state(self._json(self._api.post, "/proxies", (201,), json=body)).listen

    def delete_proxy(self, name: str) -> None:
        """Its connections are closed."""
        self._call(self._api.delete, _path(name), (204,))

    def set_enabled(self, proxy: str, enabled: bool) -> None:
        """Disabled: connects are refused and all connections were closed."""
        self._call(self._api.post, _path(proxy), (200,), json={"enabled": enabled})

    def lead(self, proxy: str, upstream: str) -> None:
        """The proxy leads there instead; its connections were closed if it led elsewhere before."""
        self._call(self._api.post, _path(proxy), (200,), json={"upstream": upstream})

    def add_toxic(
        self,
        proxy: str,
        type: str,
        *,
        name: str | None = None,
        stream: str = "downstream",
        toxicity: float = 1.0,
        attributes: Mapping[str, Any] | None = None,
        clients: str = "",
        duration_ms: int = 0,
    ) -> str:
        """The toxic's name; it acts on all connections of the proxy, present and to come.

        `clients` (addresses or networks, separated by commas: only connections from there) and `duration_ms`
        (it ends by itself, 0: never) are understood by our own server only.
        """
        body = {"type": type, "stream": stream, "toxicity": toxicity, "attributes": dict(attributes or {})}
        body |= {"clients": clients} if clients else {}
        body |= {"duration": duration_ms} if duration_ms else {}
        if name is not None:
            body["name"] = name
        try:
            added = self._json(self._api.post, f"{_path(proxy)}/toxics", (200,), json=body)
        except ToxiproxyError as error:
            if error.status == 400 and "invalid toxic type" in str(error):
                raise ToxiproxyError(
                    f"the Toxiproxy at {self.url} has no toxic {type!r}; `chatproof toxiproxy` has every one",
                    400,
                ) from None
            raise
        if clients and added.get("clients") != clients:
            self.remove_toxic(proxy, str(added["name"]))
            raise ToxiproxyError(
                f"the Toxiproxy at {self.url} cannot tell one client from another; `chatproof toxiproxy` can",
                400,
            )
        return str(added["name"])

    def toxic(self, proxy: str, name: str) -> dict[str, Any]:
        """The toxic as the server shows it; "counts" only from our own server."""
        return self._json(self._api.get, _path(proxy, name), (200,))

    def update_toxic(
        self,
        proxy: str,
        name: str,
        attributes: Mapping[str, Any],
        *,
        toxicity: float | None = None,
        duration_ms: int | None = None,
    ) -> None:
        """Attributes that are not named stay as they are, and a duration begins anew."""
        body: dict[str, Any] = {"attributes": dict(attributes)}
        if toxicity is not None:
            body["toxicity"] = toxicity
        if duration_ms is not None:
            body["duration"] = duration_ms
        self._call(self._api.post, _path(proxy, name), (200,), json=body)

    def remove_toxic(self, proxy: str, name: str) -> None:
        """What it held back is on its way."""
        self._call(self._api.delete, _path(proxy, name), (204,))

    def reset(self) -> None:
        """Every proxy listens and none has a toxic."""
        self._call(self._api.post, "/reset", (204,))

    def _json(
        self, call: Callable[..., Any], path: str, expected: tuple[int, ...], **arguments: Any
    ) -> dict[str, Any]:
        answer = self._call(call, path, expected, **arguments)
        try:
            value = answer.json()
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise ToxiproxyError(f"{self.url}{path} does not answer like a Toxiproxy")
        return value

    def _call(
        self, call: Callable[..., Any], path: str, expected: tuple[int, ...], **arguments: Any
    ) -> requests.Response:
        try:
            # A proxy in the environment is meant for the world outside, not for the machine under test.
            answer: requests.Response = call(
                path, timeout=self._limit_s, proxies={"http": None, "all": None}, **arguments
            )
        except (ProxyExists, NotFound, InvalidToxic) as error:
            text = error.args[0].decode("utf-8", "replace").strip()
            raise ToxiproxyError(f"{self.url}{path}: {_said(text)}", _STATUSES[type(error)]) from None
        except requests.RequestException as error:
            raise ToxiproxyError(f"no answer from the Toxiproxy at {self.url}: {_reason(error)}") from None
        if answer.status_code not in expected:
            said = _said(answer.text.strip())
            raise ToxiproxyError(f"{self.url}{path}: {answer.status_code} {said}", answer.status_code)
        return answer


def _path(proxy: str, toxic: str | None = None) -> str:
    path = f"/proxies/{quote(proxy, safe='')}"
    return path if toxic is None else f"{path}/toxics/{quote(toxic, safe='')}"


def _state(shown: Any) -> ProxyState:
    try:
        toxics = tuple(str(toxic["name"]) for toxic in shown.get("toxics") or ())
        return ProxyState(
            str(shown["name"]), str(shown["listen"]), str(shown["upstream"]), bool(shown["enabled"]), toxics
        )
    except (KeyError, TypeError, AttributeError):
        raise ToxiproxyError("the server does not describe proxies as a Toxiproxy does") from None


def _said(text: str) -> str:
    """The error inside the server's JSON, or the start of whatever else it said."""
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return " ".join(text.split())[:200] or "no text"


def _reason(error: requests.RequestException) -> str:
    if isinstance(error, requests.Timeout):
        return "time limit passed"
    if isinstance(error, requests.ConnectionError):
        return "connection refused or lost"
    return " ".join(str(error).split())[:200]
