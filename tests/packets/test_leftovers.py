"""What a killed process leaves behind is told from what belongs to one that runs, and removed."""

import os
import select
import signal
import subprocess
import sys
from contextlib import suppress

from chaos.errors import PacketsError
from chaos.packets.leftovers import FOLDER, leftovers, new_names, remove_leftovers
from chaos.packets.namespace import Namespace
from tests.packets.conftest import Make

_MAKE_AND_WAIT = """
import sys
from chaos.packets.impairment import Impairment
from chaos.packets.network import Network
network = Network("wire")
network.impair(Impairment(loss=0.5))
network.block([14000], "reset")
print(*network.describe()["namespaces"], network.wire.pid, flush=True)
sys.stdin.read()
"""


def test_a_killed_process_leaves_namespaces_that_the_next_removes_and_the_wire_ends_by_itself(
    make: Make,
) -> None:
    mine = make("veth").describe()["namespaces"]
    process = subprocess.Popen(
        [sys.executable, "-c", _MAKE_AND_WAIT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    *names, wire = process.stdout.readline().split()
    assert not set(names) & set(leftovers()), "its maker is alive"
    wire_end = os.pidfd_open(int(wire))
    process.kill()
    process.communicate()
    _await_end(wire_end)
    # Whatever else runs on this machine may remove them as well.
    assert set(names) & {each.name for each in FOLDER.iterdir()} <= set(leftovers())
    remove_leftovers()
    assert not any((FOLDER / name).exists() for name in names)
    assert all((FOLDER / name).exists() for name in mine)


def test_what_still_runs_in_the_namespace_of_a_dead_process_ends_with_it(make: Make) -> None:
    make("veth")
    namespace, inside = _inside_of_the_dead()
    remove_leftovers()
    assert not (FOLDER / namespace.name).exists()
    assert inside.wait(60) == -signal.SIGKILL


def _inside_of_the_dead() -> tuple[Namespace, "subprocess.Popen[bytes]"]:
    """A namespace whose maker is gone, and a process in it."""
    for _ in range(20):
        # A process of this id was started at another time: it is not the one that the name speaks of.
        (name,) = new_names("server")
        parts = name.split("-")
        parts[2] = str(int(parts[2]) - 1)
        # Whatever else runs on this machine removes what the dead have left, too.
        with suppress(OSError, PacketsError):
            namespace = Namespace("-".join(parts))
            inside = _started_in(namespace)
            if inside is not None:
                return namespace, inside
    raise AssertionError("nobody got into a namespace")


def _started_in(namespace: Namespace) -> "subprocess.Popen[bytes] | None":
    """A process that has got there; None if the namespace was gone by then."""
    words = [*namespace.prefix(), "sh", "-c", "echo inside; exec sleep 100"]
    inside = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert inside.stdout is not None
    if inside.stdout.readline() == b"inside\n":
        return inside
    inside.wait(60)
    return None


def _await_end(pidfd: int) -> None:
    ready, _, _ = select.select([pidfd], [], [], 60)
    os.close(pidfd)
    assert ready, "the wire outlived who made it"
