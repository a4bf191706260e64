import ssl
from typing import Any

import trustme

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver import settings


def context(server_context: Any, *files: Any) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(made)
    return made


def patch() -> None:
    around(settings, "server_context", context)


MUTANT = Mutant(
    "certificate_made_at_the_start",
    breaks=("SEC.1",),
    story="a certificate that the server made for itself is shown instead of the one that it was given",
    patch=patch,
)
