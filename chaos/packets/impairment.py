"""What a wire does to packets, as numbers; several at once add up to one."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Impairment:
    """Shares are from 0 to 1, of all packets, each decided for itself.

    `loss`: is dropped. `delay_ms`: comes later by that, give or take `jitter_ms`, evenly spread; the order
    stays. `reorder`: is overtaken by those that follow within `hold_ms`. `duplicate`: comes twice.
    `corrupt`: one bit of its payload is wrong, which TCP's checksum shows; `unnoticed`: and the checksum is
    made to fit. `rate_bytes_s`: no more than that passes, 0 for no limit; a queue of half a second forms,
    and what does not fit into it is dropped.
    """

    loss: float = 0.0
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    reorder: float = 0.0
    hold_ms: float = 10.0
    duplicate: float = 0.0
    corrupt: float = 0.0
    unnoticed: float = 0.0
    rate_bytes_s: float = 0.0

    def as_dict(self) -> dict[str, float]:
        """Those that differ from nothing at all."""
        return {key: value for key, value in asdict(self).items() if value != _DEFAULTS[key]}


_DEFAULTS: dict[str, float] = asdict(Impairment())
_SHARES = ("loss", "reorder", "duplicate", "corrupt", "unnoticed")
_SUMS = ("delay_ms", "jitter_ms")


def combined(impairments: Iterable[Impairment]) -> Impairment:
    """All of them one after the other: shares multiply, delays add, the smallest rate counts."""
    all_of = list(impairments)
    values: dict[str, float] = {name: _share(all_of, name) for name in _SHARES}
    values |= {name: sum(getattr(each, name) for each in all_of) for name in _SUMS}
    values["rate_bytes_s"] = min((each.rate_bytes_s for each in all_of if each.rate_bytes_s), default=0.0)
    values["hold_ms"] = max((each.hold_ms for each in all_of if each.reorder), default=_DEFAULTS["hold_ms"])
    return Impairment(**values)


def _share(impairments: list[Impairment], name: str) -> float:
    spared = 1.0
    for each in impairments:
        spared *= 1 - getattr(each, name)
    return 1 - spared
