"""Ends a server with whoever started it, however that one ended: `python guard.py STARTER SERVER`, two
descriptors of processes.

It runs by itself, without anything else of Chatproof, so that it costs little and is there at once. A signal
that the kernel sends at the end of a parent is not enough here (`refserver.lifeline`): the kernel forgets it
when a server gives up its rights, and servers that others wrote do.
"""

import contextlib
import select
import signal
import sys


def main() -> None:
    """Returns when either has ended; then the server has, or was killed."""
    starter, server = map(int, sys.argv[1:])
    either = select.poll()
    for process in (starter, server):
        either.register(process, select.POLLIN)
    either.poll()
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(server, signal.SIGKILL)


if __name__ == "__main__":
    main()
