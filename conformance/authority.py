"""A chain of authorities made on the fly, for servers that show a certificate from its lower end."""

import datetime
from dataclasses import dataclass
from pathlib import Path

import trustme

_LOWER, _LOWER_KEY, _ROOT = "lower.pem", "lower.key", "root.pem"


@dataclass(frozen=True, slots=True)
class Authority:
    """`root`: the PEM file to trust. What is issued comes from an authority below it, which clients do not
    know: it has to be shown. Its key lies in `folder` with all else, so that a broken server can be given a
    certificate that is wrong in one thing only."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> "Authority":
        """In an empty folder."""
        root = trustme.CA()
        lower = root.create_child_ca()
        root.cert_pem.write_to_path(folder / _ROOT)
        lower.cert_pem.write_to_path(folder / _LOWER)
        (folder / _LOWER_KEY).touch(mode=0o600)
        lower.private_key_pem.write_to_path(folder / _LOWER_KEY)
        return cls(folder)

    @classmethod
    def behind(cls, certificate: Path) -> "Authority | None":
        """The one that issued a certificate; None if it was none of these."""
        found = cls(certificate.parent)
        return found if (found.folder / _LOWER_KEY).exists() else None

    @property
    def root(self) -> Path:
        return self.folder / _ROOT

    def issue(self, name: str, *, days: int = 1) -> tuple[Path, Path]:
        """Files of chain and key for `name`. Good until so many days from now, of the past if negative."""
        lower = (self.folder / _LOWER).read_bytes()
        now = datetime.datetime.now(datetime.UTC)
        issued = trustme.CA.from_pem(lower, (self.folder / _LOWER_KEY).read_bytes()).issue_cert(
            name,
            not_before=now - datetime.timedelta(days=90),
            not_after=now + datetime.timedelta(days=days),
        )
        chain, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        chain.write_bytes(issued.cert_chain_pems[0].bytes() + lower)
        key.touch(mode=0o600)
        issued.private_key_pem.write_to_path(key)
        return chain, key
