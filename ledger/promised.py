"""What the target's protocol promises: a run is not judged by what nobody promised."""

from collections.abc import Iterable

from ledger.reader import Ledger


def lacks(ledger: Ledger, capability: str) -> bool:
    """Whether the protocol does not offer a capability of the catalogue. A run that does not say what its
    target offers is one of the chat protocol, which has all of them."""
    offers: Iterable[str] | None = ledger.environment.get("offers")
    return offers is not None and capability not in offers


def not_offered(ledger: Ledger, what: str) -> str:
    """The reason of a check that has nothing to check for that."""
    return f"not offered: {ledger.environment.get('dialect')} has no {what}"
