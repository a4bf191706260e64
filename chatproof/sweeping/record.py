"""sweep.json: what the steps of a sweep found, written again after each: a broken off sweep has it too."""

from pathlib import Path

import msgspec

from chatproof.errors import CannotRun
from reports.capacity.sweep import SWEEP, Sweep


def save(folder: Path, sweep: Sweep) -> None:
    """sweep.json in `folder` says this. Raises CannotRun."""
    path = folder / SWEEP
    try:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(sweep), indent=2) + b"\n")
    except OSError as error:
        raise CannotRun(f"cannot write {path}: {error.strerror}") from error
