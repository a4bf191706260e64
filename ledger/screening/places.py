"""Clears conversations in which every message has one sequence, and every sequence one message."""

import numpy as np
import polars as pl

from ledger.dense import Dense, put_once
from ledger.messages import NULL, Messages
from ledger.screening.steps import Step
from ledger.screening.world import World


class Places:
    """Compares what each acknowledgement and delivery says with the first word about its message."""

    def __init__(self, world: World, messages: Messages) -> None:
        self._world = world
        self._messages = messages
        self._sequence = messages.sequence.copy()
        self._seen = np.zeros(world.conversations, bool)
        self._suspects = np.zeros(world.conversations, bool)

    def acknowledged(self, acked: pl.DataFrame, number: np.ndarray) -> None:
        named = acked["message"].is_not_null().to_numpy()
        conversation, sequence = (
            acked["conversation"].to_numpy(),
            acked["sequence"].fill_null(NULL).to_numpy(),
        )
        self._add(conversation[named], sequence[named], number[named])

    def add(self, shown: Step) -> None:
        named = shown.message != NULL
        self._add(shown.conversation[named], shown.sequence[named], shown.number[named])

    def _add(self, conversation: np.ndarray, sequence: np.ndarray, number: np.ndarray) -> None:
        placed = sequence != NULL
        if not placed.all():
            conversation, sequence, number = conversation[placed], sequence[placed], number[placed]
        self._seen[conversation] = True
        known = self._sequence[number]
        first = (known == NULL) & (number >= 0)
        if first.any():
            self._sequence[number[first]] = sequence[first]
            known = self._sequence[number]
        fits = (number >= 0) & (sequence == known) & (conversation == self._messages.conversation[number])
        self._suspects[conversation[~fits]] = True

    def count(self) -> int:
        return int(np.count_nonzero(self._seen))

    def result(self) -> np.ndarray:
        """The conversations that are not cleared."""
        number = np.flatnonzero(self._messages.sent & (self._sequence != NULL))
        conversation = self._messages.conversation[number].astype(np.int64)
        sequence = self._sequence[number]
        self._one_each(conversation, sequence)
        # Numbers are in the order of senders and of what each sent: only conversations are mixed.
        sender = self._messages.sender[number]
        group = sender * self._world.conversations + conversation
        order = np.argsort(group, kind="stable")
        group, sequence = group[order], sequence[order]
        overtaken = (group[1:] == group[:-1]) & (sequence[1:] < sequence[:-1])
        self._suspects[conversation[order][1:][overtaken]] = True
        return np.flatnonzero(self._suspects)

    def _one_each(self, conversation: np.ndarray, sequence: np.ndarray) -> None:
        """Suspects the conversations in which two messages have one sequence."""
        if (sequence < 0).any():
            self._suspects[conversation] = True
            return
        places = Dense.of(conversation, sequence, self._world.conversations)
        if not places.fits(len(sequence)):
            self._suspects[conversation] = True
            return
        messages = np.arange(1, len(sequence) + 1, dtype=np.uint32)
        met = put_once(np.zeros(places.size, np.uint32), places.places(conversation, sequence), messages)
        self._suspects[conversation[met]] = True
