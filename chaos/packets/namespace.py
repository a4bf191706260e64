"""A network namespace with a name, as `ip netns` has them; threads and programs go in and out."""

import ctypes
import errno
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from chaos.errors import PacketsError
from chaos.packets.programs import program, run

FOLDER = Path("/run/netns")
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)
_ENTER_AND_BECOME = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
with open(sys.argv[1]) as namespace:
    if libc.setns(namespace.fileno(), 0x40000000):
        sys.exit(f"cannot enter {sys.argv[1]}: {os.strerror(ctypes.get_errno())}")
os.execvp(sys.argv[2], sys.argv[2:])
"""


class Namespace:
    """Exists from its making until `remove`. Raises PacketsError."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.path = FOLDER / name
        run([program("ip", "iproute2"), "netns", "add", name])
        self._fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """The calling thread is in it for the length of the block, which must not wait in gevent's hub."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _enter(self._fd)
            try:
                yield
            finally:
                _enter(home)
        finally:
            os.close(home)

    def prefix(self) -> list[str]:
        """Words before those of a command, which then runs in it, under the same process id."""
        return [sys.executable, "-I", "-S", "-c", _ENTER_AND_BECOME, str(self.path)]

    def run(self, words: Sequence[str], told: str = "") -> str:
        """As `programs.run`, in it."""
        with self.entered():
            return run(words, told)

    def links(self, *lines: str) -> None:
        """What `ip` does with each of the lines, in it."""
        self.run([program("ip", "iproute2"), "-batch", "-"], "".join(f"{line}\n" for line in lines))

    def set(self, **settings: int | str) -> None:
        """Settings below /proc/sys/net, with two underscores for each slash. Raises PacketsError."""
        with self.entered():
            for name, value in settings.items():
                path = Path("/proc/sys/net", *name.split("__"))
                try:
                    path.write_text(str(value))
                except OSError as error:
                    raise PacketsError(f"cannot set {path} to {value}: {error.strerror}") from error

    def remove(self) -> None:
        """Its name is gone; it lasts as long as something still runs in it."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
            run([program("ip", "iproute2"), "netns", "del", self.name])


def _enter(fd: int) -> None:
    if _libc.setns(fd, _CLONE_NEWNET):
        code = ctypes.get_errno()
        hint = " (needs root or CAP_SYS_ADMIN)" if code == errno.EPERM else ""
        raise PacketsError(f"cannot enter a network namespace: {os.strerror(code)}{hint}")
