"""Programs that end within milliseconds, run without waiting in gevent's hub.

Who makes a network may still want to fork: the hub must not exist by then. And a thread that is in another
namespace for a moment must not let other greenlets run there.
"""

import os
import shutil
from collections.abc import Callable, Sequence
from typing import cast

from gevent.monkey import get_original

from chaos.errors import PacketsError

waitpid = cast(Callable[[int, int], tuple[int, int]], get_original("os", "waitpid"))
_SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin"


def program(name: str, package: str) -> str:
    """Where it is. Raises PacketsError that names the Debian package."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:{_SYSTEM_PATH}")
    if path is None:
        raise PacketsError(f"the program {name} is missing; on Debian and Ubuntu: apt-get install {package}")
    return path


def run(words: Sequence[str], told: str = "") -> str:
    """What the program said on both outputs, given `told`. Raises PacketsError with its last line."""
    to, said = os.memfd_create("to"), os.memfd_create("said")
    try:
        os.write(to, told.encode())
        os.lseek(to, 0, os.SEEK_SET)
        pid = os.posix_spawn(
            words[0],
            list(words),
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, to, 0),
                (os.POSIX_SPAWN_DUP2, said, 1),
                (os.POSIX_SPAWN_DUP2, said, 2),
            ],
        )
        code = os.waitstatus_to_exitcode(waitpid(pid, 0)[1])
        answer = os.pread(said, os.fstat(said).st_size, 0).decode("utf-8", "replace")
    finally:
        os.close(to)
        os.close(said)
    if code:
        lines = [line for line in answer.splitlines() if line and not line.startswith("Command failed")]
        reason = lines[-1] if lines else f"exit code {code}"
        raise PacketsError(f"{os.path.basename(words[0])}: {reason}")
    return answer
