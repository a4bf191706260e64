"""matrix.html: what the suite found, clause by carrier, in one file that needs no other."""

from conformance.pages.building import write

__all__ = ["write"]
