"""Machines to run on: a network of namespaces, or just this one."""

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from namespaces import SWITCH, Network, Process, ip

_NEEDED = ("ip", "unshare")


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    """Needs root, `ip`, `unshare`, and a kernel with network and time namespaces, veth and bridges."""
    for program in _NEEDED:
        if shutil.which(program) is None:
            pytest.skip(f"needs the program {program}, which is not on PATH")
    if os.geteuid() != 0:
        pytest.skip("needs root, to make network namespaces")
    probe = subprocess.run(
        ["unshare", "--time", "--monotonic", "1", "--fork", "true"], capture_output=True, text=True
    )
    if probe.returncode:
        pytest.skip(f"needs time namespaces in this kernel: {probe.stderr.strip()}")
    network = Network(f"cp{uuid.uuid4().hex[:6]}-")
    switch = network.prefix + SWITCH
    ip("netns", "add", switch)
    try:
        ip("-n", switch, "link", "add", "bridge", "type", "bridge")
        ip("-n", switch, "link", "set", "bridge", "up")
    except subprocess.CalledProcessError as error:
        ip("netns", "del", switch)
        pytest.skip(f"needs bridges in this kernel: {error.stderr.strip()}")
    try:
        yield network
    finally:
        network.close()


@pytest.fixture
def here() -> Iterator[Callable[..., Process]]:
    """Starts `chatproof WORDS` on this machine."""
    started = []

    def start(*words: str, cwd: Path, files: int | None = None) -> Process:
        limit = ["prlimit", f"--nofile={files}:{files}"] if files else []
        started.append(Process([*limit, sys.executable, "-m", "chatproof", *words], cwd))
        return started[-1]

    yield start
    for process in started:
        process.kill()
