"""All proxies of a server and what the API may do with them; refusals have the original's status and text."""

from collections.abc import Iterator
from typing import Any

from msgspec import UNSET

from chaos.toxics import toxic_types
from chaos.toxiproxy import addresses, attributes, gojson
from chaos.toxiproxy.engine import Engine
from chaos.toxiproxy.proxy import Proxy
from chaos.toxiproxy.toxic import Toxic


class ApiError(Exception):
    """To be answered with `status` and the text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class PopulateError(ApiError):
    """`done` are the proxies that were created before, None if it did not come to that."""

    def __init__(self, status: int, text: str, done: list[Proxy] | None) -> None:
        super().__init__(status, text)
        self.done = done


class Collection:
    """Proxies by name, in the order of their creation."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._proxies: dict[str, Proxy] = {}

    def __iter__(self) -> Iterator[Proxy]:
        return iter(list(self._proxies.values()))

    def proxy(self, name: str) -> Proxy:
        """Raises ApiError 404."""
        try:
            return self._proxies[name]
        except KeyError:
            raise ApiError(404, "proxy not found") from None

    def create(self, given: gojson.ProxyInput) -> Proxy:
        """Stored and, unless asked otherwise, listening. On an error nothing is stored."""
        if not given.name:
            raise ApiError(400, "missing required field: name")
        if not given.upstream:
            raise ApiError(400, "missing required field: upstream")
        if given.name in self._proxies:
            raise ApiError(409, "proxy already exists")
        return self._store(given)

    def update(self, name: str, given: gojson.ProxyInput) -> Proxy:
        """Other addresses close all connections; toxics stay."""
        proxy = self.proxy(name)
        listen = proxy.listen if given.listen is UNSET else given.listen
        upstream = proxy.upstream if given.upstream is UNSET else given.upstream
        enabled = proxy.enabled if given.enabled is UNSET else given.enabled
        try:
            differs = self._differs(proxy, listen, upstream)
        except addresses.AddressError as error:
            raise ApiError(500, str(error)) from None
        if differs:
            proxy.stop()
            proxy.listen, proxy.upstream = listen, upstream
        if enabled:
            self._start(proxy)
        else:
            proxy.stop()
        return proxy

    def delete(self, name: str) -> None:
        """Its connections are closed."""
        self.proxy(name).stop()
        del self._proxies[name]

    def reset(self) -> None:
        """Every proxy listens and none has a toxic."""
        for proxy in self:
            self._start(proxy)
            for toxic in list(proxy.toxics):
                proxy.remove_toxic(toxic)

    def populate(self, items: list[gojson.ProxyInput]) -> list[Proxy]:
        """Each exists as asked for; those that did already are left alone. Raises PopulateError."""
        for number, given in enumerate(items, 1):
            for field in ("name", "upstream"):
                if not getattr(given, field):
                    raise PopulateError(400, f"missing required field: {field} at proxy {number}", None)
        done: list[Proxy] = []
        for given in items:
            try:
                done.append(self._populate_one(given))
            except (ApiError, addresses.AddressError) as error:
                raise PopulateError(500, str(error), done or None) from None
        return done

    def add_toxic(self, proxy_name: str, body: bytes) -> Toxic:
        """Checks in the order of the original."""
        proxy = self.proxy(proxy_name)
        given = gojson.toxic_input(gojson.read(body))
        if given.stream.lower() not in ("upstream", "downstream"):
            raise ApiError(400, "stream was invalid, can be either upstream or downstream")
        type_ = toxic_types().get(given.type)
        if type_ is None:
            raise ApiError(400, "invalid toxic type")
        name = given.name or f"{given.type}_{given.stream}"
        if proxy.toxic(name) is not None:
            raise ApiError(409, "toxic already exists")
        values = attributes.merged(type_, type_.attributes(), given.attributes)
        toxicity = 1 if given.toxicity is UNSET else given.toxicity
        duration = _duration(given, 0)
        try:
            toxic = Toxic(
                type_, name, given.stream, toxicity, values, clients=given.clients, duration=duration
            )
        except ValueError as error:
            raise ApiError(400, f"bad request body: clients: {error}") from None
        proxy.add_toxic(toxic)
        return toxic

    def toxic(self, proxy_name: str, name: str) -> Toxic:
        """Raises ApiError 404."""
        toxic = self.proxy(proxy_name).toxic(name)
        if toxic is None:
            raise ApiError(404, "toxic not found")
        return toxic

    def update_toxic(self, proxy_name: str, name: str, body: bytes) -> Toxic:
        """Attributes that are not named stay as they are, and a duration begins anew. On an error nothing
        changes."""
        toxic = self.toxic(proxy_name, name)
        given = gojson.toxic_input(gojson.read(body))
        values = attributes.merged(toxic.type, toxic.attributes, given.attributes)
        toxicity = toxic.toxicity if given.toxicity is UNSET else given.toxicity
        toxic.duration = _duration(given, toxic.duration)
        self.proxy(proxy_name).update_toxic(toxic, toxicity, values)
        return toxic

    def remove_toxic(self, proxy_name: str, name: str) -> None:
        """What it held back is on its way."""
        self.proxy(proxy_name).remove_toxic(self.toxic(proxy_name, name))

    def stop(self) -> None:
        """Nothing listens any more and all connections are closed."""
        for proxy in self:
            proxy.stop()
        self._proxies.clear()

    def _populate_one(self, given: gojson.ProxyInput) -> Proxy:
        old = self._proxies.get(given.name)
        if old is not None:
            if not self._differs(old, given.listen or "", given.upstream or ""):
                return old
            self.delete(given.name)
        return self._store(given)

    def _store(self, given: gojson.ProxyInput) -> Proxy:
        proxy = Proxy(self._engine, given.name, given.listen or "", given.upstream or "")
        if given.enabled is UNSET or given.enabled:
            self._start(proxy)
        if given.name in self._proxies:  # created by another request while a name was looked up
            proxy.stop()
            raise ApiError(409, "proxy already exists")
        self._proxies[given.name] = proxy
        return proxy

    def _start(self, proxy: Proxy) -> None:
        if proxy.enabled:
            return
        try:
            address = addresses.resolve_listen(proxy.listen)
        except addresses.AddressError as error:
            raise ApiError(500, f"listen tcp: {error}") from None
        try:
            proxy.start(address)
        except addresses.AddressError as error:
            raise ApiError(500, str(error)) from None

    @staticmethod
    def _differs(proxy: Proxy, listen: str, upstream: str) -> bool:
        if upstream != proxy.upstream:
            return True
        return listen != proxy.listen and addresses.resolved(listen) != addresses.resolved(proxy.listen)


def _duration(given: gojson.ToxicInput, default: int) -> int:
    if given.duration is UNSET:
        return default
    if given.duration < 0:
        raise ApiError(400, f"bad request body: duration must not be negative, is {given.duration}")
    return given.duration


def proxies_json(proxies: list[Proxy] | None) -> Any:
    """As /populate lists them: null rather than an empty list."""
    return [proxy.as_json() for proxy in proxies] if proxies else None
