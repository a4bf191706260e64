import tempfile
from pathlib import Path
from typing import Any

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around
from refserver import settings

_END = b"-----END CERTIFICATE-----\n"


def context(server_context: Any, certificate: Path, key: Path) -> Any:
    first, end, _ = certificate.read_bytes().partition(_END)
    with tempfile.NamedTemporaryFile() as alone:
        alone.write(first + end)
        alone.flush()
        return server_context(Path(alone.name), key)


def patch() -> None:
    around(settings, "server_context", context)


MUTANT = Mutant(
    "certificate_without_its_chain",
    breaks=("SEC.1",),
    story="only the first certificate of the file is shown; browsers know the one between, phones do not",
    patch=patch,
)
