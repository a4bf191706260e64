"""Machines of a network of their own, as far as one kernel can give them: namespaces.

Each has its own interface, address, loopback and ports, and if wanted a CLOCK_MONOTONIC of its own.
"""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

TIMEOUT_S = 300.0
SWITCH = "switch"


@dataclass
class Ended:
    code: int
    out: str
    err: str


class Process:
    """A command under way, leader of a process group."""

    def __init__(self, command: list[str], cwd: Path) -> None:
        self._process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, "COLUMNS": "200"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def until(self, word: str) -> str:
        """The first line of its output with `word`."""
        assert self._process.stdout is not None
        seen = []
        for line in self._process.stdout:
            seen.append(line)
            if word in line:
                return line
        raise AssertionError(f"it ended before it said {word!r}: {''.join(seen)}{self.end().err}")

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def end(self) -> Ended:
        """Waits for it."""
        try:
            out, err = self._process.communicate(timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            out, err = self._process.communicate()
            raise AssertionError(f"it did not end: {out}{err}") from None
        return Ended(self._process.returncode, out, err)

    def interrupt(self) -> None:
        """As Ctrl-C does, to all of its group."""
        os.killpg(self._process.pid, signal.SIGINT)

    def kill(self) -> None:
        """It and all that it started in its group."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)


@dataclass
class Network:
    """Machines on one switch. `address`: of each, by name."""

    prefix: str
    address: dict[str, str] = field(default_factory=dict)
    ahead_s: dict[str, int] = field(default_factory=dict)
    processes: list[Process] = field(default_factory=list)

    def add(self, name: str, ahead_s: int = 0) -> str:
        """A machine whose clock is that far ahead of this one's; its address."""
        inside, outside = self.prefix + name, f"v{name}"
        address = self.address[name] = f"10.77.0.{len(self.address) + 1}"
        self.ahead_s[name] = ahead_s
        ip("netns", "add", inside)
        switch = self.prefix + SWITCH
        ip("-n", inside, "link", "add", "eth0", "type", "veth", "peer", "name", outside, "netns", switch)
        ip("-n", inside, "addr", "add", f"{address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            ip("-n", inside, "link", "set", device, "up")
        ip("-n", switch, "link", "set", outside, "master", "bridge")
        ip("-n", switch, "link", "set", outside, "up")
        return address

    def start(self, name: str, *words: str, cwd: Path) -> Process:
        """`chatproof WORDS` on that machine."""
        ahead_s = self.ahead_s[name]
        clock = (
            ["unshare", "--time", "--monotonic", str(ahead_s), "--fork", "--kill-child"] if ahead_s else []
        )
        command = [*clock, sys.executable, "-m", "chatproof", *words]
        process = Process(["ip", "netns", "exec", self.prefix + name, *command], cwd)
        self.processes.append(process)
        return process

    def close(self) -> None:
        for process in self.processes:
            process.kill()
        for name in [*self.address, SWITCH]:
            ip("netns", "del", self.prefix + name)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)
