"""Clears devices that saw every version of their inbox up to where they settled, each for one message."""

import numpy as np
import polars as pl

from ledger.dense import Dense
from ledger.inbox_edges import inbox_edges
from ledger.messages import NULL, acknowledgements
from ledger.reader import Ledger
from ledger.screening.steps import Step
from ledger.screening.world import World

SEEN = -1
"""At a version of which no message is known: acknowledgements of a package all carry that of its last."""


class Inboxes:
    """Lays out the message that each device saw under each version, from its first login to its end."""

    def __init__(self, ledger: Ledger, world: World) -> None:
        edges = ledger.once(inbox_edges)
        lowest, highest = np.zeros(world.devices, np.int64), np.full(world.devices, -1)
        inside = edges.filter(pl.col("device").is_between(0, world.devices - 1))
        device = inside["device"].to_numpy()
        lowest[device] = inside["login_version"].fill_null(0).to_numpy() + 1
        highest[device] = inside["version"].to_numpy()
        versions = Dense(lowest, highest)
        rows = ledger.once(acknowledgements).height * (1 + world.parties.max(initial=0))
        self.versions = versions if versions.fits(rows) else Dense.nothing()
        self._messages = np.zeros(self.versions.size, np.int32)
        self._suspects = np.zeros(world.devices, bool)
        if self.versions is not versions or inside.height < edges.height:
            self._suspects[:] = True

    def acknowledged(self, acked: pl.DataFrame) -> None:
        """To be called before the first step."""
        versioned = acked.filter(pl.col("version").is_not_null())
        places = self._places(versioned["device"].to_numpy(), versioned["version"].to_numpy())
        self._messages[places[places >= 0]] = SEEN

    def add(self, step: Step) -> None:
        versioned = step.version != NULL
        if not versioned.all():
            places = self._places(step.device[versioned], step.version[versioned])
            device, message, number = (x[versioned] for x in (step.device, step.message, step.number))
        else:
            places = self._places(step.device, step.version)
            device, message, number = step.device, step.message, step.number
        named = number >= 0
        self._suspects[device[~named & (message != NULL)]] = True
        nameless = places[~named & (places >= 0)]
        self._messages[nameless[self._messages[nameless] == 0]] = SEEN
        here = named & (places >= 0)
        places, device, new = places[here], device[here], (number[here] + 1).astype(np.int32)
        known = self._messages[places]
        reused = (known > 0) & (known != new)
        self._messages[places] = new
        reused |= self._messages[places] != new
        self._suspects[device[reused]] = True

    def _places(self, device: np.ndarray, version: np.ndarray) -> np.ndarray:
        """-1 outside what the device should have, which makes it suspect."""
        places = self.versions.places(device, version)
        self._suspects[device[places < 0]] = True
        return places

    def result(self) -> np.ndarray:
        """The devices that are not cleared."""
        self._suspects[self.versions.groups(np.flatnonzero(self._messages == 0))] = True
        return np.flatnonzero(self._suspects)
