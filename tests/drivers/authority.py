"""A certificate authority of the tests, and what servers show that are not what they should be."""

import datetime
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class Certificate:
    """PEM files."""

    chain: Path
    key: Path


class Authority:
    """`ca` is the file to trust."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._authority = trustme.CA()
        self.ca = folder / "ca.pem"
        self._authority.cert_pem.write_to_path(self.ca)

    def issue(self, *names: str, expired: bool = False) -> Certificate:
        """For these host names and addresses."""
        yesterday = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
        issued = self._authority.issue_cert(
            *names,
            not_before=yesterday - datetime.timedelta(days=1),
            not_after=yesterday if expired else None,
        )
        stem = f"{names[0]}-{'expired' if expired else 'valid'}"
        certificate = Certificate(self._folder / f"{stem}.pem", self._folder / f"{stem}.key")
        certificate.chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(certificate.key)
        return certificate
