"""Repeatable chance in 60 bytes a stream: the standard generator weighs 2,500, and each link has some."""

import hashlib

_MASK = 2**64 - 1


class Chance:
    """The same draws for the same key, independent of all other keys (SplitMix64, Steele and others 2014)."""

    __slots__ = ("_state",)

    def __init__(self, key: str) -> None:
        self._state = int.from_bytes(
            hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big"
        )

    def random(self) -> float:
        """Evenly from [0, 1)."""
        self._state = z = (self._state + 0x9E3779B97F4A7C15) & _MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return ((z ^ (z >> 31)) >> 11) / 2**53

    def around(self, middle: float, spread: float) -> float:
        """Evenly from [middle − spread, middle + spread)."""
        return middle + spread * (2 * self.random() - 1)
