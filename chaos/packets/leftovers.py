"""Whose a namespace is, told by its name: what belongs to a process that is dead can go."""

import itertools
import os
import re
import signal
from contextlib import suppress
from pathlib import Path

from chaos.errors import PacketsError
from chaos.packets.namespace import FOLDER
from chaos.packets.programs import program, run

_NAME = re.compile(r"chatproof-(?P<pid>\d+)-(?P<started>\d+)-\d+-[a-z]+\Z")
_numbers = itertools.count(1)


def new_names(*sides: str) -> list[str]:
    """Names for namespaces of this process, such as chatproof-4711-90210-1-server.

    A process is known by its id and the moment of its start: ids come again.
    """
    number = next(_numbers)
    return [f"chatproof-{os.getpid()}-{started_at(os.getpid())}-{number}-{side}" for side in sides]


def started_at(pid: int) -> int | None:
    """When the process was started, in the kernel's ticks; None if there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def leftovers() -> list[str]:
    """Names of the namespaces whose makers are dead."""
    try:
        names = sorted(os.listdir(FOLDER))
    except FileNotFoundError:
        return []
    found = ((name, _NAME.match(name)) for name in names)
    return [name for name, match in found if match and started_at(int(match["pid"])) != int(match["started"])]


def remove_leftovers() -> list[str]:
    """No namespace of a dead process is left, nor whatever still ran in one; names of those removed.

    With a namespace go its devices, rules and mappings. Raises PacketsError.
    """
    removed = []
    for name in leftovers():
        ip = program("ip", "iproute2")
        try:
            for pid in run([ip, "netns", "pids", name]).split():
                with suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            run([ip, "netns", "del", name])
        except PacketsError:
            if (FOLDER / name).exists():  # else somebody else has just removed it
                raise
        else:
            removed.append(name)
    return removed
