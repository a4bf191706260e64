"""How a client proves who it is: SASL PLAIN (RFC 4616) and SCRAM (RFC 5802, RFC 7677).

SCRAM is sans-I/O as well: first message, final message, and the check of the server's own proof.
"""

import hashlib
import hmac
import os
import stringprep
import unicodedata
from base64 import b64decode, b64encode
from functools import lru_cache
from typing import Protocol

MAX_ITERATIONS = 1_000_000
_NONCE_BYTES = 18


class SaslError(Exception):
    """What the server said is no step of the mechanism, or proves that it does not know the password."""


class Mechanism(Protocol):
    """One authentication. Raises SaslError for what the server must not say."""

    def first(self) -> bytes:
        """What goes with the choice of the mechanism."""

    def answer(self, challenge: bytes) -> bytes:
        """The answer to a challenge."""

    def finish(self, data: bytes) -> None:
        """`data` came with the success: the server has proved itself, where the mechanism asks for it."""


class Plain:
    """User and password as they are."""

    __slots__ = ("_password", "_user")

    def __init__(self, user: str, password: str) -> None:
        self._user, self._password = user, password

    def first(self) -> bytes:
        return f"\0{prepared(self._user)}\0{prepared(self._password)}".encode()

    def answer(self, challenge: bytes) -> bytes:
        raise SaslError("a challenge to PLAIN, which has none")

    def finish(self, data: bytes) -> None:
        if data:
            raise SaslError("PLAIN has nothing to say after success")


class Scram:
    """first sent → final sent → the server's signature checked. `digest`: as hashlib names it."""

    __slots__ = ("_bare", "_digest", "_nonce", "_password", "_signature")

    def __init__(self, digest: str, user: str, password: str, nonce: str = "") -> None:
        self._digest = digest
        self._password = password
        self._nonce = nonce or b64encode(os.urandom(_NONCE_BYTES)).decode()
        name = prepared(user).replace("=", "=3D").replace(",", "=2C")
        self._bare = f"n={name},r={self._nonce}"
        self._signature: bytes | None = None

    def first(self) -> bytes:
        return f"n,,{self._bare}".encode()

    def answer(self, challenge: bytes) -> bytes:
        if self._signature is not None:
            self.finish(challenge)  # some servers prove themselves in a challenge of its own
            return b""
        fields = _fields(challenge, "rsi")
        nonce, salt = fields["r"], _base64(fields["s"])
        if not nonce.startswith(self._nonce) or nonce == self._nonce:
            raise SaslError("the nonce is not the server's answer to ours")
        if (
            not fields["i"].isascii()
            or not fields["i"].isdigit()
            or not 0 < int(fields["i"]) <= MAX_ITERATIONS
        ):
            raise SaslError(f"{fields['i'][:20]!r} iterations; between 1 and {MAX_ITERATIONS:,} are accepted")
        client_key, server_key = _keys(self._digest, prepared(self._password), salt, int(fields["i"]))
        final = f"c=biws,r={nonce}"
        proven = b",".join((self._bare.encode(), challenge, final.encode()))
        stored_key = _hash(self._digest, client_key)
        signature = hmac.digest(stored_key, proven, self._digest)
        proof = bytes(one ^ other for one, other in zip(client_key, signature, strict=True))
        self._signature = hmac.digest(server_key, proven, self._digest)
        return f"{final},p={b64encode(proof).decode()}".encode()

    def finish(self, data: bytes) -> None:
        if self._signature is None:
            raise SaslError("success before the server has proved that it knows the password")
        if not data and not self._bare:
            return  # proved in a challenge before
        if not hmac.compare_digest(_base64(_fields(data, "v")["v"]), self._signature):
            raise SaslError("the server's signature is wrong: it does not know the password")
        self._bare = ""


_DIGESTS = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512", "SCRAM-SHA-1": "sha1"}
MECHANISMS = (*_DIGESTS, "PLAIN")
"""Those that are spoken, in the order in which they are taken."""


def mechanism(name: str, user: str, password: str) -> Mechanism:
    """One of MECHANISMS."""
    if name == "PLAIN":
        return Plain(user, password)
    return Scram(_DIGESTS[name], user, password)


def prepared(text: str) -> str:
    """SASLprep (RFC 4013): two ways of writing the same are the same. Raises SaslError."""
    if text.isascii() and text.isprintable():
        return text
    spaced = "".join(" " if stringprep.in_table_c12(sign) else sign for sign in text)
    mapped = "".join(sign for sign in spaced if not stringprep.in_table_b1(sign))
    normal = unicodedata.normalize("NFKC", mapped)
    if any(forbids(sign) for sign in normal for forbids in _FORBIDDEN):
        raise SaslError("a user or password with a character that SASL forbids")
    return normal


_FORBIDDEN = (
    stringprep.in_table_c12, stringprep.in_table_c21_c22, stringprep.in_table_c3, stringprep.in_table_c4,
    stringprep.in_table_c5, stringprep.in_table_c6, stringprep.in_table_c7, stringprep.in_table_c8,
    stringprep.in_table_c9,
)  # fmt: skip


@lru_cache(maxsize=8192)
def _keys(digest: str, password: str, salt: bytes, iterations: int) -> tuple[bytes, bytes]:
    """Client key and server key. Remembered, because a device that comes back would pay for them again."""
    salted = hashlib.pbkdf2_hmac(digest, password.encode(), salt, iterations)
    return hmac.digest(salted, b"Client Key", digest), hmac.digest(salted, b"Server Key", digest)


def _hash(digest: str, data: bytes) -> bytes:
    return hashlib.new(digest, data).digest()


def _fields(message: bytes, wanted: str) -> dict[str, str]:
    try:
        parts = message.decode().split(",")
    except UnicodeDecodeError:
        raise SaslError("a message that is not UTF-8") from None
    fields = {part[0]: part[2:] for part in parts if part[1:2] == "="}
    if "e" in fields:
        raise SaslError(f"the server says {fields['e'][:80]}")
    if "m" in fields:
        raise SaslError("an extension that has to be understood and is not")
    if missing := [name for name in wanted if name not in fields]:
        raise SaslError(f"a message without {missing[0]}=")
    return fields


def _base64(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise SaslError("a field that is not base64") from None
