"""One pass over all rows that clears what is plainly right, so that the exact checks look at the rest only.

`steps` reads, `roll` clears messages, `timelines` the order in which devices were shown things, `places` the
order of conversations, `inboxes` versions. Nothing is guessed and nothing is hashed: what does not fit in any
way is a suspect, and a ledger that cannot be laid out (numbers far apart, devices that nobody knows) is
suspect as a whole.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from ledger.absences import absences
from ledger.messages import acknowledgements, messages
from ledger.parties import logged_in
from ledger.reader import Ledger
from ledger.screening.inboxes import Inboxes
from ledger.screening.places import Places
from ledger.screening.roll import Roll
from ledger.screening.steps import steps
from ledger.screening.timelines import Timelines
from ledger.screening.world import World


@dataclass(frozen=True, slots=True)
class Screen:
    """What needs no closer look, and what does."""

    ok_by_fault: dict[int, int]
    """Pairs of message and device that are ok, by the fault that was on at the send (-1: none)."""
    messages: pl.Series
    """To be looked at: values of the column `message`, sent or not."""
    share: float
    """Of all messages, those to be looked at."""
    foreign: bool
    """Whether messages of another run came."""
    inboxes: pl.Series
    """Devices whose versions may have a hole or name two messages."""
    timelines: pl.Series
    """Devices that may have been shown something out of order."""
    places: pl.Series
    """Conversations in which a sequence may name two messages, or a sender's own order be broken."""
    conversations: int
    """That had deliveries or acknowledgements with a sequence."""
    deliver_us: np.ndarray
    ack_us: np.ndarray
    """From the wanted moment on, of every delivery and acknowledgement of a message that was sent; without
    devices that were away on purpose."""


def screen(ledger: Ledger) -> Screen | None:
    """None if the ledger has to be looked at as a whole. Needs about 25 bytes a row."""
    found = messages(ledger)
    world = World.of(ledger, logged_in(ledger), found) if found else None
    if found is None or world is None:
        return None
    acked = ledger.once(acknowledgements)
    if not world.knows_acknowledged(acked):
        return None
    inboxes = Inboxes(ledger, world)
    places, timelines, roll = (
        Places(world, found),
        Timelines(world, found, inboxes.versions),
        Roll(world, found),
    )
    number = found.numbers(acked["message"].fill_null(-1).to_numpy())
    inboxes.acknowledged(acked)
    places.acknowledged(acked, number)
    stayed = world.all_but(ledger.once(absences)["device"])
    deliver_us, foreign = [], False
    for step in steps(ledger, found):
        if not world.knows(step):
            return None
        foreign |= bool(step.foreign.any())
        inboxes.add(step)
        shown = step.of_this_run()
        places.add(shown)
        again = timelines.add(shown)
        roll.add(shown, again)
        sent = (shown.number >= 0) & stayed[shown.device]
        deliver_us.append(microseconds(shown.at_ns[sent], found.wanted_ns[shown.number[sent]]))
    if roll.nameless:
        return None  # a delivery that does not say which message it was may be a second one of any of them
    sent = (number >= 0) & stayed[acked["device"].to_numpy()]
    suspects, ok_by_fault = roll.result()
    return Screen(
        ok_by_fault=ok_by_fault,
        messages=pl.Series(suspects, dtype=pl.Int64),
        share=len(suspects) / np.count_nonzero(found.sent),
        foreign=foreign,
        inboxes=pl.Series(inboxes.result(), dtype=pl.Int32),
        timelines=pl.Series(timelines.result(), dtype=pl.Int32),
        places=pl.Series(places.result(), dtype=pl.Int32),
        conversations=places.count(),
        deliver_us=np.concatenate([*deliver_us, np.empty(0, np.uint32)]),
        ack_us=microseconds(acked["at_ns"].to_numpy()[sent], found.wanted_ns[number[sent]]),
    )


def microseconds(at_ns: np.ndarray, wanted_ns: np.ndarray) -> np.ndarray:
    """Whole, from 0 up to an hour and more, in half the memory."""
    whole: np.ndarray = np.clip((at_ns - wanted_ns) // 1000, 0, 2**32 - 1).astype(np.uint32)
    return whole
