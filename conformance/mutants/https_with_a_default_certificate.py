import ssl
from functools import partial
from typing import Any

import trustme

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver.access.carriers.tls import TlsCarrying
from refserver.access.http.server import HttpNode


def listen(listen: Any, self: Any, listener: Any, carry: Any = None) -> Any:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost.localdomain").configure_cert(context)
    return listen(self, listener, partial(TlsCarrying, context) if carry is not None else None)


def patch() -> None:
    around(HttpNode, "listen", listen)


MUTANT = Mutant(
    "https_with_a_default_certificate",
    breaks=("SEC.1",),
    story="the certificate is configured for long connections; HTTPS shows the one of the package",
    patch=patch,
)
