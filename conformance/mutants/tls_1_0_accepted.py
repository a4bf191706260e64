import ssl
import warnings
from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver import settings


def context(server_context: Any, *files: Any) -> Any:
    made = server_context(*files)
    with warnings.catch_warnings(action="ignore"):
        made.minimum_version = ssl.TLSVersion.TLSv1
    made.set_ciphers("DEFAULT:@SECLEVEL=0")
    return made


def patch() -> None:
    around(settings, "server_context", context)


MUTANT = Mutant(
    "tls_1_0_accepted",
    breaks=("SEC.1",),
    story="TLS 1.0 and 1.1 are still spoken, for the sake of old phones",
    patch=patch,
)
