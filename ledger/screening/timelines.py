"""Clears devices that were shown everything in the order of its sequences and versions."""

import numpy as np

from ledger.dense import Dense, put_once
from ledger.messages import NULL, Messages
from ledger.screening.steps import Step
from ledger.screening.world import World


class Timelines:
    """Lays out which row showed each sequence of a conversation on a device, and each version of its inbox:
    where rows grow with them, nothing was out of order, if rows are in the order of time."""

    def __init__(self, world: World, messages: Messages, versions: Dense) -> None:
        placed = np.flatnonzero(messages.sent & (messages.sequence >= 0))
        of_conversation = Dense.of(
            messages.conversation[placed], messages.sequence[placed], world.conversations
        )
        of_pair = of_conversation.repeated(world.conversation_of)
        rows = int(world.parties[messages.conversation[placed]].sum())
        self._sequences = of_pair if of_pair.fits(rows) else Dense.nothing()
        self._versions = versions
        self._world = world
        self._by_sequence = np.zeros(self._sequences.size, np.uint32)
        self._by_version = np.zeros(versions.size, np.uint32)
        self._suspects = np.zeros(world.devices, bool)
        self._device_of_pair = world.device_of
        self._process = np.full(world.devices, -1)
        self._latest = (-1, NULL)

    def add(self, shown: Step) -> np.ndarray:
        """True for rows that may show what was shown on their device before."""
        again = self._put(
            self._by_sequence,
            self._sequences.places(self._world.pairs(shown.conversation, shown.device), shown.sequence),
            shown,
            shown.sequence != NULL,
        )
        self._put(
            self._by_version,
            self._versions.places(shown.device, shown.version),
            shown,
            shown.version != NULL,
        )
        self._in_time(shown)
        return again

    def _put(self, rows: np.ndarray, places: np.ndarray, shown: Step, numbered: np.ndarray) -> np.ndarray:
        """True for rows without a place of their own; their devices are suspect if they had a number."""
        placed = places >= 0
        again = ~placed
        again[placed] = put_once(rows, places[placed], shown.row[placed])
        self._suspects[shown.device[again & numbered]] = True
        return again

    def _in_time(self, shown: Step) -> None:
        """Rows stand for time only on devices that lived in one process, whose clock never went back."""
        if not len(shown.row):
            return
        process, latest = self._latest
        latest = latest if process == shown.process else NULL
        so_far = np.maximum(np.maximum.accumulate(shown.at_ns), latest)
        self._latest = shown.process, int(so_far[-1])
        elsewhere = self._process[shown.device]
        moved = (elsewhere >= 0) & (elsewhere != shown.process)
        self._process[shown.device] = shown.process
        self._suspects[shown.device[moved | (shown.at_ns < so_far)]] = True

    def result(self) -> np.ndarray:
        """The devices that are not cleared."""
        self._suspects[self._device_of_pair[self._sequences.not_increasing(self._by_sequence)]] = True
        self._suspects[self._versions.not_increasing(self._by_version)] = True
        return np.flatnonzero(self._suspects)
