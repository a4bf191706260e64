"""A toxic as a proxy has it: what the API shows, and whether it acts on a link."""

import dataclasses
from collections import Counter
from typing import Any

from chaos.stage import Place
from chaos.toxics import ToxicType


class Toxic:
    """Belongs to one direction of one proxy. `stream` is the direction as the client wrote it."""

    __slots__ = ("attributes", "counts", "direction", "name", "stream", "toxicity", "type", "updates")

    def __init__(self, type_: ToxicType, name: str, stream: str, toxicity: float, attributes: Any) -> None:
        self.type = type_
        self.name = name
        self.stream = stream
        self.direction = stream.lower()
        self.toxicity = toxicity
        self.attributes = attributes
        self.updates = 0
        self.counts: Counter[str] = Counter()

    def acts_on(self, place: Place) -> bool:
        """Drawn for each link, and again when the toxic is updated."""
        if self.toxicity >= 1:
            return True
        return self.toxicity > 0 and place.chance().random() < self.toxicity

    def as_json(self) -> dict[str, Any]:
        """In the order of the original; "counts" only for toxics that count something."""
        shown: dict[str, Any] = {
            "attributes": dataclasses.asdict(self.attributes),
            "name": self.name,
            "type": self.type.name,
            "stream": self.stream,
            "toxicity": self.toxicity,
        }
        if self.counts:
            shown["counts"] = dict(self.counts)
        return shown
