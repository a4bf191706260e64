from pathlib import Path
from typing import Any

from conformance.authority import Authority
from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver import settings


def context(server_context: Any, certificate: Path, key: Path) -> Any:
    authority = Authority.behind(certificate)
    return server_context(*(authority.issue("127.0.0.1", days=-1) if authority else (certificate, key)))


def patch() -> None:
    around(settings, "server_context", context)


MUTANT = Mutant(
    "expired_certificate_shown",
    breaks=("SEC.1",),
    story="the certificate was renewed on disk, and the server goes on with the old one until it has expired",
    patch=patch,
)
