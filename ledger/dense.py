"""Numbers that run on within groups, as places in one array: what makes millions of rows cheap to compare."""

import numpy as np

MOST_PLACES_A_ROW = 4
"""Numbers sparser than this are better looked up than laid out."""


class Dense:
    """A place for each number from `lowest` to `highest` of each group (indexes into both; a group whose
    highest is below its lowest has none). `size`: places in all."""

    def __init__(self, lowest: np.ndarray, highest: np.ndarray) -> None:
        # One more group without numbers stands at the end, where -1 finds it.
        self._lowest = np.append(lowest, 0).astype(np.int64)
        self._highest = np.append(highest, -1).astype(np.int64)
        spans = np.maximum(self._highest - self._lowest + 1, 0)
        ends = np.cumsum(spans)
        self._starts = ends - spans
        self.size = int(ends[-1])

    @classmethod
    def of(cls, groups: np.ndarray, numbers: np.ndarray, count: int) -> "Dense":
        """With places for all of these numbers, of groups below `count`."""
        lowest = np.full(count, np.iinfo(np.int64).max)
        highest = np.full(count, -1)
        np.minimum.at(lowest, groups, numbers)
        np.maximum.at(highest, groups, numbers)
        return cls(np.where(highest < 0, 0, lowest), highest)

    @classmethod
    def nothing(cls) -> "Dense":
        """No group, no place."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64))

    def repeated(self, groups: np.ndarray) -> "Dense":
        """Its ranges again, for as many new groups as there are here, each like the one named."""
        return Dense(self._lowest[groups], self._highest[groups])

    def fits(self, rows: int) -> bool:
        """Whether laying out is worth it for so many rows."""
        return self.size <= MOST_PLACES_A_ROW * rows + 1_000_000

    def places(self, groups: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """-1 where the group has no such number, or there is no such group."""
        if not len(numbers):
            return np.empty(0, np.int64)
        count = len(self._lowest) - 1
        inside = groups.min() >= -1 and groups.max() < count
        group = groups if inside else np.where((groups >= 0) & (groups < count), groups, -1)
        lowest = self._lowest[group]
        known = (numbers >= lowest) & (numbers <= self._highest[group])
        numbers = numbers - lowest
        numbers += self._starts[group]
        numbers[~known] = -1
        return numbers

    def groups(self, places: np.ndarray) -> np.ndarray:
        """The group of each place."""
        return np.searchsorted(self._starts, places, side="right") - 1

    def not_increasing(self, values: np.ndarray) -> np.ndarray:
        """Groups in which the values at their places (0: none there) do not grow from place to place."""
        filled = np.flatnonzero(values)
        here = values[filled]
        suspect = np.flatnonzero(here[1:] <= here[:-1])
        before, after = self.groups(filled[suspect]), self.groups(filled[suspect + 1])
        groups: np.ndarray = np.unique(before[before == after])
        return groups


def put_once(values: np.ndarray, places: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Puts `new` (not 0) at its places. True for rows that met another: at least one of any two, whether
    the other was put there now or before."""
    met: np.ndarray = values[places] != 0
    values[places] = new
    met |= values[places] != new
    return met
