"""A wire between two namespaces: a TUN device in each, and a process between them."""

import fcntl
import json
import os
import struct
from collections import Counter
from typing import Any, NamedTuple

from chaos.errors import PacketsError
from chaos.packets.apart import Apart
from chaos.packets.impairment import Impairment, combined
from chaos.packets.namespace import Namespace

_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_QUEUE_PACKETS = 10_000


class _Asked(NamedTuple):
    impairment: Impairment
    streams: tuple[str, ...]
    clients: tuple[str, ...]


class Wire:
    """From its making until `close`. Raises PacketsError."""

    def __init__(self, client: Namespace, server: Namespace, device: str, seed: int) -> None:
        self._namespaces = (client, server)
        self._device = device
        self._active: dict[int, _Asked] = {}
        self._before: dict[int, dict[str, Counter[str]]] = {}
        self._next = 1
        self._counts: dict[str, Counter[str]] = {}
        ends: list[int] = []
        try:
            for namespace in self._namespaces:
                ends.append(_tun(namespace, device))
                # What the process cannot take at once must wait, not be lost.
                namespace.links(f"link set {device} txqueuelen {_QUEUE_PACKETS}")
            self._process = Apart("chaos.packets.carrier", ends, str(seed))
        finally:
            # The devices last as long as the process that has them.
            for end in ends:
                os.close(end)
        self.pid = self._process.pid

    def impair(self, impairment: Impairment, streams: tuple[str, ...], clients: tuple[str, ...] = ()) -> int:
        """Also this from now on, in these directions, for clients at these addresses or all; a number for
        `mend`."""
        number, self._next = self._next, self._next + 1
        self._active[number] = _Asked(impairment, streams, clients)
        try:
            self._order(streams)
        except PacketsError:
            del self._active[number]
            raise
        self._before[number] = self._counts
        return number

    def mend(self, number: int) -> dict[str, int]:
        """No longer; what happened to packets of its directions meanwhile."""
        asked = self._active.pop(number, None)
        if asked is None:
            return {}
        self._order(asked.streams)
        before = self._before.pop(number, {})
        since: Counter[str] = Counter()
        for name in asked.streams:
            since += self._counts[name] - before.get(name, Counter())
        return dict(since)

    def counts(self) -> dict[str, dict[str, int]]:
        """By direction, since the wire was made; `overrun`: could not wait any longer to get onto it."""
        self._order(())
        overrun = {
            "upstream": _dropped(self._namespaces[0], self._device),
            "downstream": _dropped(self._namespaces[1], self._device),
        }
        return {name: {**counts, "overrun": overrun[name]} for name, counts in self._counts.items()}

    def close(self) -> None:
        """The devices are gone and the process has ended."""
        self._process.close()

    def _order(self, streams: tuple[str, ...]) -> None:
        wanted = {
            stream: _lanes([asked for asked in self._active.values() if stream in asked.streams])
            for stream in streams
        }
        answer = json.loads(self._process.ask(json.dumps(wanted).encode()))
        self._counts = {name: Counter(counts) for name, counts in answer.items()}


def _lanes(active: list[_Asked]) -> list[dict[str, Any]]:
    """What the carrier process is told of one direction: first what everybody suffers, then, of clients who
    suffer something else, those together who suffer the same."""
    everybody = [asked for asked in active if not asked.clients]
    suffers: dict[str, list[int]] = {}
    for number, asked in enumerate(active):
        for client in asked.clients:
            suffers.setdefault(client, []).append(number)
    together: dict[tuple[int, ...], list[str]] = {}
    for client, numbers in suffers.items():
        together.setdefault(tuple(numbers), []).append(client)
    lanes: list[dict[str, Any]] = [_lane(everybody, [])]
    for same, clients in together.items():
        lanes.append(_lane([*everybody, *(active[number] for number in same)], sorted(clients)))
    return lanes


def _lane(asked: list[_Asked], clients: list[str]) -> dict[str, Any]:
    return {"clients": clients, "asked": combined(each.impairment for each in asked).as_dict()}


def _tun(namespace: Namespace, device: str) -> int:
    with namespace.entered():
        try:
            fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise PacketsError(f"cannot open /dev/net/tun: {error.strerror}") from error
        try:
            fcntl.ioctl(fd, _TUNSETIFF, struct.pack("16sH22x", device.encode(), _IFF_TUN | _IFF_NO_PI))
        except OSError as error:
            os.close(fd)
            raise PacketsError(f"cannot make a TUN device: {error.strerror}") from error
    return fd


def _dropped(namespace: Namespace, device: str) -> int:
    """How many packets the device could not keep for the process to read."""
    with namespace.entered(), open("/proc/thread-self/net/dev") as lines:
        for line in lines:
            name, _, numbers = line.strip().partition(":")
            if name == device:
                return int(numbers.split()[11])
    return 0
