"""The suite starts its server itself; here it is made to start a mutant, and restarts it as one."""

import os
import subprocess
import sys
from typing import Any, Self

from conformance.mutating.mutant import load
from conformance.mutating.patching import around
from refserver import process
from refserver.process import ServerProcess
from refserver.workers import environment_with_this_code


class MutantServer(ServerProcess):
    """Like its base in all but the program."""

    def __init__(self, name: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._name = name

    def start(self) -> Self:
        """See ServerProcess.start."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        listen = [word for url in self._listen for word in ("--listen", url)]
        program = [sys.executable, "-m", "conformance.mutants", self._name]
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._within, *program, *listen, *self._options, "--parent", str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment_with_this_code(),
                start_new_session=True,
            )
        self._understand(self._first_line(self._process))
        return self


def start_instead(name: str) -> None:
    """Whoever starts a reference server from now on gets that mutant; a mutant that is a client takes the
    place of the sound one at once. Raises UnknownMutant."""
    mutant = load(name)
    if mutant.is_client:
        mutant.patch()
        return

    def server(_: Any, *args: Any, **kwargs: Any) -> MutantServer:
        return MutantServer(name, *args, **kwargs)

    around(process, "ServerProcess", server)
