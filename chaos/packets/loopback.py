"""A loopback network of a run's own, with room for as many connections as it will have."""

from collections.abc import Iterator
from contextlib import contextmanager

from chaos.packets.leftovers import new_names
from chaos.packets.namespace import Namespace

LOOPBACK = "loopback"
_ENDS = 2
"""Each connection is in the table twice: both of its ends are here."""


@contextmanager
def roomy_loopback(connections: int) -> Iterator[Namespace]:
    """A namespace whose table of connections has a bucket for each end, for the length of the block.

    The machine's own table has as many as its memory made the kernel choose at boot (262,144 of 24 GiB), so
    that with a million connections every packet walks past eight others, none of them in a cache. The size
    is of the namespace that a new one is made in (tcp_child_ehash_entries of Linux 6.1 and later, ip-sysctl):
    a first one is made to say it, and is gone again when the second is there. Raises PacketsError.
    """
    outer_name, name = new_names("nursery", LOOPBACK)
    outer = Namespace(outer_name)
    try:
        outer.set(ipv4__tcp_child_ehash_entries=1 << (_ENDS * connections - 1).bit_length())
        with outer.entered():
            inner = Namespace(name)
    finally:
        outer.remove()
    try:
        inner.links("link set lo up")
        yield inner
    finally:
        inner.remove()
