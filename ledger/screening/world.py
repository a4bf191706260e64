"""Devices, conversations, and the pairs of both that belong together, as array indexes."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from ledger.messages import Messages
from ledger.parties import parties_of
from ledger.reader import Ledger
from ledger.screening.steps import Step


@dataclass(frozen=True, slots=True)
class World:
    """`devices`, `conversations`: one more than the highest index; `present`: whether a device logged in;
    pairs by conversation and device: `conversation_of`, `device_of`; `parties`: pairs of a conversation."""

    devices: int
    conversations: int
    present: np.ndarray
    conversation_of: np.ndarray
    device_of: np.ndarray
    parties: np.ndarray
    _keys: np.ndarray

    @classmethod
    def of(cls, ledger: Ledger, present: pl.DataFrame, messages: Messages) -> "World | None":
        """None if there are rows of devices or conversations that are in no table."""
        devices, conversations = _past(ledger.devices["device"]), _past(ledger.conversations["conversation"])
        logged_in = present["device"].to_numpy()
        told = messages.conversation[messages.sent]
        if (
            not devices
            or logged_in.max(initial=0) >= devices
            or messages.sender.max() >= devices
            or told.min() < 0
            or told.max() >= conversations
        ):
            return None
        pairs = parties_of(ledger, present).sort("conversation", "device")
        conversation = pairs["conversation"].to_numpy().astype(np.int64)
        device = pairs["device"].to_numpy()
        here = np.zeros(devices, bool)
        here[logged_in] = True
        return cls(
            devices=devices,
            conversations=conversations,
            present=here,
            conversation_of=conversation,
            device_of=device,
            parties=np.bincount(conversation, minlength=conversations),
            _keys=conversation * devices + device,
        )

    def knows(self, step: Step) -> bool:
        """False if something was shown to a device that never logged in, or in an unknown conversation."""
        return (
            _within(step.device, self.devices)
            and bool(self.present[step.device].all())
            and _within(step.conversation[step.shown & ~step.foreign], self.conversations)
        )

    def knows_acknowledged(self, acked: pl.DataFrame) -> bool:
        """False if an acknowledgement is of an unknown device or conversation."""
        return _within(acked["device"].to_numpy(), self.devices) and _within(
            acked["conversation"].fill_null(-1).to_numpy(), self.conversations
        )

    def all_but(self, devices: pl.Series) -> np.ndarray:
        """By device: whether it is none of these."""
        others = np.ones(self.devices, bool)
        others[devices.filter(devices.is_between(0, self.devices - 1)).to_numpy()] = False
        return others

    def pairs(self, conversation: np.ndarray, device: np.ndarray) -> np.ndarray:
        """The index of each pair; -1 where the device is no party."""
        if not len(self._keys):
            return np.full(len(device), -1)
        keys = conversation * np.int64(self.devices) + device
        index = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return np.where(self._keys[index] == keys, index, -1)


def _within(indexes: np.ndarray, count: int) -> bool:
    return not len(indexes) or (int(indexes.min()) >= 0 and int(indexes.max()) < count)


def _past(indexes: pl.Series) -> int:
    return int(indexes.to_numpy().max(initial=-1)) + 1
