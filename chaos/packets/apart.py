"""Processes of our own that know only the standard library: they start in some tens of milliseconds."""

import _socket
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from gevent.monkey import get_original

from chaos.errors import PacketsError
from chaos.packets.programs import waitpid

_ROOT = str(Path(__file__).resolve().parent.parent.parent)
_MAIN = "import sys; sys.path.append({root!r}); from {module} import main; main()"
_ANSWER_S = 20.0
_END_S = 5.0
_sleep = get_original("time", "sleep")


class Apart:
    """`module.main` runs in a process with the descriptors given it, and one of a socket for orders.

    Answers come within a turn of its loop, so asking does not wait in gevent's hub. It ends by itself when
    this process does, however that happens: then nobody holds the other end of the socket.
    """

    def __init__(self, module: str, descriptors: Sequence[int], *arguments: str) -> None:
        """Its arguments are the numbers of the descriptors, that of the socket, and then `arguments`."""
        # Not those of the socket module: under gevent they wait in the hub, and make it.
        self._orders, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        self._orders.settimeout(_ANSWER_S)
        handed = [*descriptors, theirs.fileno()]
        for fd in handed:
            os.set_inheritable(fd, True)
        code = _MAIN.format(root=_ROOT, module=module)
        try:
            self.pid = os.posix_spawn(
                sys.executable,
                [sys.executable, "-I", "-S", "-c", code, *map(str, handed), *arguments],
                os.environ,
                # Ctrl-C at a terminal is for whoever started it, who then decides.
                setsid=True,
            )
        finally:
            theirs.close()
            for fd in descriptors:
                os.set_inheritable(fd, False)
        self._name = module.rpartition(".")[2]
        self._is_open = True

    def ask(self, order: bytes) -> bytes:
        """The answer. Raises PacketsError when it has ended."""
        try:
            self._orders.send(order)
            answer = self._orders.recv(1 << 20)
        except OSError as error:
            raise PacketsError(
                f"the {self._name} process does not answer: {error.strerror or error}"
            ) from error
        if not answer:
            raise PacketsError(f"the {self._name} process has ended")
        return answer

    def close(self) -> None:
        """It has ended."""
        if not self._is_open:
            return
        self._is_open = False
        with suppress(OSError):
            self._orders.shutdown(_socket.SHUT_RDWR)
        self._orders.close()
        until = time.monotonic() + _END_S
        while waitpid(self.pid, os.WNOHANG)[0] == 0:
            if time.monotonic() > until:
                os.kill(self.pid, signal.SIGKILL)
                waitpid(self.pid, 0)
                return
            _sleep(0.001)
