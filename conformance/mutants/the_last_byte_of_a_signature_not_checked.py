from typing import Any

from itsdangerous.signer import HMACAlgorithm

from conformance.mutating.mutant import Mutant
from conformance.mutating.patching import around


def verify(verify: Any, self: Any, key: bytes, value: bytes, sig: bytes) -> Any:
    right = self.get_signature(key, value)
    return sig[:-1] == right[:-1] and len(sig) == len(right)


def patch() -> None:
    around(HMACAlgorithm, "verify_signature", verify)


MUTANT = Mutant(
    "the_last_byte_of_a_signature_not_checked",
    breaks=("SEC.5",),
    story="signatures are compared by a loop that ends one too early",
    patch=patch,
)
