"""Clears messages that were delivered as they should be, once to each device that should have them."""

import numpy as np

from ledger.messages import NULL, Messages
from ledger.screening.steps import Step
from ledger.screening.world import World


class Roll:
    """A message is cleared if it was sent once and acknowledged, and was delivered as often as there are
    other devices in its conversation: in its place, to one of them, to none twice, unchanged, not by a pull,
    and not after the fault that covered its send."""

    def __init__(self, world: World, messages: Messages) -> None:
        self.nameless = False
        self._world = world
        self._messages = messages
        self._odd = ~messages.regular
        self._count = np.zeros(messages.numbering.size, np.int32)
        self._strays: set[int] = set()

    def add(self, shown: Step, again: np.ndarray) -> None:
        """`again`: rows that cannot be told from a second showing, see Timelines.add."""
        messages = self._messages
        sent = shown.number >= 0
        if not sent.all():
            strays = np.unique(shown.message[~sent])
            self.nameless |= bool(len(strays)) and strays[0] == NULL
            self._strays.update(strays[strays != NULL].tolist())
        number = shown.number[sent]
        fits = (
            ~(shown.odd | again)[sent]
            & (shown.conversation[sent] == messages.conversation[number])
            & (shown.sequence[sent] == messages.sequence[number])
            & (shown.device[sent] != messages.sender[number])
            & (shown.at_ns[sent] <= messages.fault_end_ns[number])
        )
        self._odd[number[~fits]] = True
        np.add.at(self._count, number, 1)

    def result(self) -> tuple[np.ndarray, dict[int, int]]:
        """The messages that are not cleared, sent or not; and how many deliveries were cleared, by fault."""
        messages = self._messages
        known = np.flatnonzero(messages.sent)
        conversation = messages.conversation[known].astype(np.int64)
        sender_is_party = self._world.pairs(conversation, messages.sender[known]) >= 0
        expected = self._world.parties[conversation] - sender_is_party
        cleared = ~self._odd[known] & (self._count[known] == expected)
        suspects = messages.keys[known[~cleared]]
        strays = np.array(sorted(self._strays), np.int64)
        by_fault = np.bincount(messages.fault[known[cleared]] + 1, weights=expected[cleared])
        ok = {fault: int(count) for fault, count in enumerate(by_fault, -1) if count}
        return np.concatenate([suspects, strays]), ok
