"""Login tokens: signed, with an expiry, verified without the store.

user (percent-encoded where it must be) . expiry (Unix seconds) . signature
"""

import hashlib
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, unquote

from itsdangerous import BadSignature, Signer

_SECRET_BYTES = 32


class TokenRefused(Exception):
    """`reason`: "not a token", "bad signature" or "expired"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TokenSigner:
    """Issues and verifies tokens under one secret. `clock` gives Unix seconds."""

    __slots__ = ("_clock", "_signer")

    def __init__(self, secret: bytes, *, clock: Callable[[], float] = time.time) -> None:
        # Deriving the key for each token would double the price of a login, so it is derived here, once.
        key = hashlib.sha256(b"chatproof token" + secret).digest()
        self._signer = Signer(key, key_derivation="none", digest_method=hashlib.sha256)
        self._clock = clock

    def issue(self, user: str, ttl_s: float) -> str:
        """A token of `user` for `ttl_s` seconds from now; one with a negative `ttl_s` has expired already."""
        return self._signer.sign(f"{quote(user, safe='')}.{int(self._clock() + ttl_s)}").decode()

    def verify(self, token: str) -> str:
        """The user. Raises TokenRefused; signatures are compared in constant time."""
        try:
            user, _, expiry = self._signer.unsign(token).decode().rpartition(".")
        except BadSignature as error:
            reason = "not a token" if token.count(".") < 2 else "bad signature"
            raise TokenRefused(reason) from error
        except UnicodeError as error:
            raise TokenRefused("not a token") from error
        if not user or not expiry.isdigit():
            raise TokenRefused("not a token")
        if int(expiry) <= self._clock():
            raise TokenRefused("expired")
        return unquote(user)


def load_or_create_secret(data_dir: str | os.PathLike[str]) -> bytes:
    """The secret of this data directory, readable by its owner only; made when there is none yet.

    Safe against two processes that start at once: both return the same secret. Raises OSError.
    """
    path = Path(data_dir) / "secret"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f"secret.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(_SECRET_BYTES))
                file.flush()
                os.fsync(file.fileno())
            _link_unless_there(draft, path)
        finally:
            draft.unlink()
    return path.read_bytes()


def _link_unless_there(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        return
