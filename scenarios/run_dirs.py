"""Where a run goes for which nobody named a folder."""

import itertools
import time
from pathlib import Path


def new_run_dir(label: str = "") -> Path:
    """A new folder below runs/, made, with the time and `label` in its name. Raises OSError."""
    stem = time.strftime("%Y%m%d-%H%M%S") + (f"-{label}" if label else "")
    for number in itertools.count(1):
        # Another run may have been started in the same second.
        path = Path("runs") / (stem if number == 1 else f"{stem}-{number}")
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        return path
    raise AssertionError
