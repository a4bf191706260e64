"""Proxies made in somebody else's Toxiproxy, written down so that they can go if the run is killed."""

import json
import os
from pathlib import Path
from typing import Self

from chaos.control import ToxiproxyControl
from chaos.errors import ToxiproxyError
from chaos.packets.leftovers import started_at

_LIMIT_S = 10.0


class Promise:
    """To remove what was added, as a file of this process until it is kept. Raises OSError."""

    def __init__(self, url: str) -> None:
        self._told: dict[str, str] = {}
        self._url = url
        self._path = _folder() / f"{os.getpid()}-{started_at(os.getpid())}.json"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._path.unlink(missing_ok=True)

    def add(self, name: str, upstream: str) -> None:
        """To be called before the proxy is made: what was not made is not missed."""
        self._told[name] = upstream
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # In one step: who is killed while writing leaves the file as it was.
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps({"url": self._url, "proxies": self._told}))
        fresh.replace(self._path)


def keep_promises_of_the_dead() -> list[str]:
    """The proxies of runs that were killed are gone, unless somebody made others by their names; names."""
    removed = []
    for path in sorted(_folder().glob("*-*.json")):
        pid, start = map(int, path.stem.split("-"))
        if started_at(pid) != start:
            removed += _remove(json.loads(path.read_text()))
            path.unlink(missing_ok=True)
    return removed


def _remove(told: dict[str, dict[str, str]]) -> list[str]:
    removed = []
    try:
        control = ToxiproxyControl(str(told["url"]), limit_s=_LIMIT_S)
        for name, proxy in control.proxies().items():
            if told["proxies"].get(name) == proxy.upstream:
                control.delete_proxy(name)
                removed.append(name)
    except ToxiproxyError:
        return removed  # a server that is gone has taken its proxies along
    return removed


def _folder() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "chatproof" / "promises"
