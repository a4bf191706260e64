"""Every message that was sent, numbered through, with what its send and its acknowledgement say."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from ledger.dense import Dense
from ledger.fault_windows import with_fault
from ledger.reader import Ledger

NULL = np.iinfo(np.int64).min
"""Stands for no value in columns of int64."""

_N = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class Messages:
    """Columns by number; `sent` is false for numbers that no message has, `regular` true for messages that
    were sent once, acknowledged, never turned down, and in one conversation all the time."""

    numbering: Dense
    keys: np.ndarray
    sender: np.ndarray
    sent: np.ndarray
    regular: np.ndarray
    conversation: np.ndarray
    sequence: np.ndarray
    """As acknowledged; NULL where it was not."""
    wanted_ns: np.ndarray
    fault: np.ndarray
    """That was on at the send, -1 for none."""
    fault_end_ns: np.ndarray
    """The far future for none."""

    def numbers(self, keys: np.ndarray) -> np.ndarray:
        """Of these values of the column `message`; -1 for what was never sent."""
        numbers = self.numbering.places(keys >> 32, keys & _N)
        return np.where(self.sent[numbers] & (numbers >= 0), numbers, -1)


def acknowledgements(ledger: Ledger) -> pl.DataFrame:
    """`message`, `device`, `conversation`, `sequence`, `version`, `at_ns` of acked rows."""
    columns = ("message", "device", "conversation", "sequence", "version", "at_ns")
    return ledger.of("acked").select(*columns).collect(engine="streaming")


def messages(ledger: Ledger) -> Messages | None:
    """None if there are none, if one was sent twice, or if their numbers are too sparse to lay out."""
    sends = (
        ledger.of("send")
        .select("message", "conversation", "at_ns", wanted_ns=pl.coalesce("planned_ns", "at_ns"))
        .collect(engine="streaming")
    )
    if sends.is_empty() or sends["message"].null_count() or sends["conversation"].null_count():
        return None
    keys = sends["message"].to_numpy()
    device, n = keys >> 32, keys & _N
    numbering = Dense.of(device, n, int(device.max()) + 1)
    if device.min() < 0 or not numbering.fits(len(keys)):
        return None
    number = numbering.places(device, n)
    sent = _laid_out(numbering, number, np.ones(len(keys), bool), False)
    if np.count_nonzero(sent) != len(keys):
        return None
    conversation = _laid_out(numbering, number, sends["conversation"].to_numpy(), -1)
    faults = with_fault(sends.select("at_ns"), "at_ns", ledger.faults)
    laid_out = _laid_out(numbering, number, keys, -1)
    found = Messages(
        numbering=numbering,
        keys=laid_out,
        sender=laid_out >> 32,
        sent=sent,
        regular=np.zeros(numbering.size, bool),
        conversation=conversation,
        sequence=np.full(numbering.size, NULL),
        wanted_ns=_laid_out(numbering, number, sends["wanted_ns"].to_numpy(), 0),
        fault=_laid_out(numbering, number, faults["fault"].to_numpy(), -1),
        fault_end_ns=_laid_out(
            numbering, number, faults["fault_end_ns"].fill_null(np.iinfo(np.int64).max).to_numpy(), 0
        ),
    )
    _acknowledge(found, ledger)
    return found


def _laid_out(numbering: Dense, number: np.ndarray, values: np.ndarray, nothing: int) -> np.ndarray:
    laid_out = np.full(numbering.size, nothing, values.dtype)
    laid_out[number] = values
    return laid_out


def _acknowledge(found: Messages, ledger: Ledger) -> None:
    """Fills in `sequence` and `regular`."""
    acked = ledger.once(acknowledgements)
    number = found.numbers(acked["message"].fill_null(NULL).to_numpy())
    known = number >= 0
    number = number[known]
    conversation = acked["conversation"].fill_null(-1).to_numpy()[known]
    sequence = acked["sequence"].fill_null(NULL).to_numpy()[known]
    found.sequence[number] = sequence
    found.regular[number] = True
    odd = (conversation != found.conversation[number]) | (sequence != found.sequence[number])
    found.regular[number[odd]] = False
    rejected = ledger.of("rejected").select("message").drop_nulls().collect(engine="streaming")
    turned_down = found.numbers(rejected["message"].to_numpy())
    found.regular[turned_down[turned_down >= 0]] = False
