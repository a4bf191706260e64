"""One direction of a wire: packets and times in, packets at their times out. No sockets, no clock."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from socket import inet_aton

from chaos.packets.damage import flip_a_bit
from chaos.packets.impairment import Impairment

UPSTREAM = "upstream"
_QUEUE_NS = 500_000_000
_LEAST_QUEUE_BYTES = 32_768
_NOTHING = Impairment()


class _Lane:
    """Packets that suffer the same, and queue behind each other."""

    __slots__ = ("asked", "free_ns", "last_out_ns")

    def __init__(self, asked: Impairment) -> None:
        self.asked = asked
        self.last_out_ns = 0
        self.free_ns = 0

    def followed_by(self, asked: Impairment) -> "_Lane":
        """The next one, which nothing leaves before what is under way on this one."""
        lane = _Lane(asked)
        lane.last_out_ns, lane.free_ns = self.last_out_ns, self.free_ns
        return lane

    def leaves_ns(self, size: int, now_ns: int, dice: random.Random) -> int | None:
        """When it leaves, never before one that came earlier; None when the queue is full."""
        asked = self.asked
        out_ns = now_ns
        if asked.rate_bytes_s:
            begin_ns = max(self.free_ns, now_ns)
            queue_ns = max(_QUEUE_NS, int(_LEAST_QUEUE_BYTES / asked.rate_bytes_s * 1e9))
            if begin_ns - now_ns > queue_ns:
                return None
            out_ns = self.free_ns = begin_ns + int(size / asked.rate_bytes_s * 1e9)
        if asked.delay_ms or asked.jitter_ms:
            late_ms = asked.delay_ms
            if asked.jitter_ms:
                late_ms += asked.jitter_ms * (2 * dice.random() - 1)
            out_ns += int(max(late_ms, 0.0) * 1e6)
        return max(out_ns, self.last_out_ns)


class Direction:
    """`seed` and `name` decide the fate of the first, second, third packet after a change; nothing else does.

    Times are monotonic nanoseconds. `counts`: packets and bytes that came, and what was done to how many.
    """

    def __init__(self, seed: int, name: str) -> None:
        self._key = f"{seed}/{name}"
        # Where the client's address is in an IPv4 packet: it is the source of what goes up.
        at = 12 if name == UPSTREAM else 16
        self._whose = slice(at, at + 4)
        self._serial = 0
        self._changes = 0
        self._waiting: list[tuple[int, int, bytes]] = []
        self._others = _Lane(_NOTHING)
        self._lanes: dict[bytes, _Lane] = {}
        self.counts: Counter[str] = Counter()
        self.change(_NOTHING)

    def change(
        self, impairment: Impairment, of_clients: Iterable[tuple[Sequence[str], Impairment]] = ()
    ) -> None:
        """Packets that come from now on are treated so, those of clients at some addresses otherwise; those
        under way keep their time."""
        self._others = self._others.followed_by(impairment)
        before, self._lanes = self._lanes, {}
        for clients, asked in of_clients:
            packed = [inet_aton(client) for client in clients]
            lane = before.get(packed[0], self._others).followed_by(asked)
            self._lanes.update(dict.fromkeys(packed, lane))
        self._is_clear = impairment == _NOTHING and not self._lanes
        # Dice of its own for each effect: what is decided of the one does not depend on the others.
        self._changes += 1
        key = f"{self._key}/{self._changes}"
        self._lose, self._spread, self._hold, self._repeat, self._damage = (
            random.Random(f"{key}/{name}") for name in ("lose", "spread", "hold", "repeat", "damage")
        )

    @property
    def next_ns(self) -> int | None:
        """When the next of those that wait has to leave; None if none waits."""
        return self._waiting[0][0] if self._waiting else None

    def take(self, packet: bytes, now_ns: int) -> bool:
        """Whether the packet may leave at once; else it is lost, or leaves by `due`."""
        counts = self.counts
        counts["packets"] += 1
        counts["bytes"] += len(packet)
        if self._is_clear and not self._waiting:
            return True
        lane = self._lanes.get(packet[self._whose], self._others)
        asked = lane.asked
        if asked.loss and self._lose.random() < asked.loss:
            counts["lost"] += 1
            return False
        if asked.corrupt and self._damage.random() < asked.corrupt:
            packet = self._damaged(packet, mend=False)
        if asked.unnoticed and self._damage.random() < asked.unnoticed:
            packet = self._damaged(packet, mend=True)
        out_ns = lane.leaves_ns(len(packet), now_ns, self._spread)
        if out_ns is None:
            counts["overflowed"] += 1
            return False
        if asked.reorder and self._hold.random() < asked.reorder:
            # It alone is late: whoever follows keeps to the time that it would have had.
            counts["reordered"] += 1
            out_ns += int(asked.hold_ms * 1e6)
        else:
            lane.last_out_ns = out_ns
        self._wait(packet, out_ns)
        if asked.duplicate and self._repeat.random() < asked.duplicate:
            counts["duplicated"] += 1
            self._wait(packet, out_ns)
        return False

    def due(self, now_ns: int) -> list[bytes]:
        """Those whose time has come, in their order."""
        out: list[bytes] = []
        waiting = self._waiting
        while waiting and waiting[0][0] <= now_ns:
            out.append(heappop(waiting)[2])
        return out

    def _wait(self, packet: bytes, out_ns: int) -> None:
        self._serial += 1
        heappush(self._waiting, (out_ns, self._serial, packet))

    def _damaged(self, packet: bytes, *, mend: bool) -> bytes:
        damaged = flip_a_bit(packet, self._damage, mend=mend)
        if damaged is not packet:
            self.counts["corrupted"] += 1
        return damaged
