"""Where a run leaves what it finds out."""

from pathlib import Path

from chatproof.errors import CannotRun, WrongUse
from ledger.run_folder import RunFolder
from scenarios.run_dirs import new_run_dir


def new_folder(out: str | None, name: str) -> RunFolder:
    """`out`, or a new folder below runs/. Raises WrongUse when a run is already there, CannotRun."""
    if out:
        path = Path(out)
        if (path / "ledger").exists():
            raise WrongUse(f"{path} holds a run already; choose another folder with --out")
        return RunFolder(path)
    try:
        return RunFolder(new_run_dir(name))
    except OSError as error:
        raise CannotRun(f"cannot make a folder in runs/: {error.strerror}; choose one with --out") from error
