import datetime
import ssl
from typing import Any

import trustme

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver import settings


def context(server_context: Any, *files: Any) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    issued = trustme.CA().issue_cert("127.0.0.1", not_before=now - 90 * day, not_after=now - day)
    issued.configure_cert(made)
    return made


def patch() -> None:
    around(settings, "server_context", context)


MUTANT = Mutant(
    "expired_certificate_shown",
    breaks=("SEC.1",),
    story="the certificate was renewed on disk, and the server goes on with the old one until it has expired",
    patch=patch,
)
