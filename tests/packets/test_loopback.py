"""A loopback of a run's own has a table of connections of its own, and nothing of it is left."""

from pathlib import Path

import pytest

from chaos.errors import PacketsError
from chaos.packets.leftovers import FOLDER
from chaos.packets.loopback import roomy_loopback
from chaos.packets.programs import program

# Of a namespace that shares the machine's table it is negative (ip-sysctl).
BUCKETS = Path("/proc/sys/net/ipv4/tcp_ehash_entries")


def test_a_roomy_loopback_has_a_bucket_for_both_ends_of_each_connection_and_is_gone_afterwards() -> None:
    before = set(FOLDER.iterdir()) if FOLDER.exists() else set()
    machine = int(BUCKETS.read_text())
    try:
        with roomy_loopback(300_000) as namespace:
            with namespace.entered():
                assert int(BUCKETS.read_text()) == 1 << 20
                assert "LOOPBACK,UP" in namespace.run([program("ip", "iproute2"), "link", "show", "lo"])
            ours = namespace.path
    except PacketsError as error:
        pytest.skip(f"needs a network of its own: {error}")
    assert int(BUCKETS.read_text()) == machine
    assert ours not in before
    assert not ours.exists()
