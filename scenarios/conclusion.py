"""What becomes of a run once its ledgers are closed: a verdict and a report, made by a process of its own, so
that whoever looks at the page meanwhile is answered."""

import logging
import os
import sys
from typing import Any

from gevent import subprocess

from ledger.errors import LedgerError
from ledger.run_folder import RunFolder

log = logging.getLogger(__name__)

_SAID = 300
_NICENESS = 5


class Conclusion:
    """`summary`: of the run, None before there is one. `error`: why there is none or no report, ""."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.summary: dict[str, Any] | None = None
        self.error = ""
        self.is_done = False

    def draw(self) -> None:
        """summary.json, junit.xml and report.html are in the folder, or `error` says why not."""
        command = [sys.executable, "-m", "chatproof", "report", "--judge", str(self.folder.path)]
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            preexec_fn=_behind_others,
        )
        _, said = process.communicate()
        if process.returncode:
            lines = said.decode("utf-8", "replace").strip().splitlines() or ["the report was not made"]
            self.error = lines[-1][:_SAID]
        try:
            self.summary = self.folder.load_summary()
        except LedgerError as error:
            self.error = self.error or str(error)
        if self.error:
            log.error(self.error)
        self.is_done = True


def _behind_others() -> None:
    os.nice(_NICENESS)
