from pathlib import Path
from typing import Any

from conformance.authority import Authority
from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver import settings


def context(server_context: Any, certificate: Path, key: Path) -> Any:
    authority = Authority.behind(certificate)
    return server_context(*(authority.issue("www.chat.example") if authority else (certificate, key)))


def patch() -> None:
    around(settings, "server_context", context)


MUTANT = Mutant(
    "certificate_for_another_name",
    breaks=("SEC.1",),
    story="the certificate of the web pages is shown, from the same authority, for another name",
    patch=patch,
)
