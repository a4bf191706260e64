"""kill -9 in the middle of traffic: DLV.7, UNR.3, ARC.2."""

import signal
import subprocess
import sys
from itertools import islice
from pathlib import Path

from business_world import World

from protocol.messages import Contacts, Entry, Pull, Send, Unread

LIVES = 3
SERVER = Path(__file__).with_name("crashing_server.py")
USERS = ("alice", "bob", "carol")

Acknowledged = tuple[str, str, int, str, int, int]
"""(user, cid, mid, conversation, sequence, version)"""


def acknowledged_until_killed(data_dir: Path, life: int, count: int) -> list[Acknowledged]:
    """What the server had acknowledged when it was killed, some time after `count` acknowledgements."""
    server = subprocess.Popen(
        [sys.executable, SERVER, data_dir, str(life)], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    lines = list(islice(server.stdout, count))
    assert server.poll() is None, "the server is in the middle of its work"
    server.send_signal(signal.SIGKILL)
    lines += server.stdout.readlines()
    server.wait(60)
    rows = [line.split() for line in lines if line.endswith("\n")]
    return [
        (user, cid, int(mid), name, int(seq), int(version)) for user, cid, mid, name, seq, version in rows
    ]


def inbox_of(world: World, user: str) -> list[Entry]:
    entries: list[Entry] = []
    more = True
    while more:
        page = world.ask(user, Pull(len(entries), 0))
        entries += page.entries
        more = page.more
    assert [entry.version for entry in entries] == list(range(1, page.newest + 1))
    return entries


def test_everything_acknowledged_is_there_after_kill_9_and_counts_are_exact(world: World) -> None:
    world.stop()
    acknowledged: list[Acknowledged] = []
    for life in range(LIVES):
        acknowledged += acknowledged_until_killed(world.data_dir, life, 150 + 70 * life)
    world.start()

    inboxes = {user: inbox_of(world, user) for user in USERS}
    assert len(acknowledged) > 600
    for user, cid, mid, name, sequence, version in acknowledged:
        entry = inboxes[user][version - 1]
        assert (entry.mid, entry.conversation, entry.sequence) == (mid, name, sequence)
        again = world.ask(user, Send(cid, name, "text", b"again"))
        assert (again.mid, again.sequence, again.version) == (mid, sequence, version)

    for user, entries in inboxes.items():
        received = [entry.conversation for entry in entries if entry.sender != user]
        counts = {each.conversation: each.unread for each in world.ask(user, Unread()).counts}
        assert counts == {name: received.count(name) for name in set(received)}
        newest = {entry.conversation: entry.mid for entry in entries}
        assert [contact.mid for contact in world.ask(user, Contacts(0, 0)).contacts] == sorted(
            newest.values(), reverse=True
        )

    everything = {
        (entry.conversation, entry.sequence): entry.mid for entries in inboxes.values() for entry in entries
    }
    for name in {name for name, _ in everything}:
        sequences = sorted(sequence for other, sequence in everything if other == name)
        assert sequences == list(range(1, len(sequences) + 1)), "no hole, nothing half stored"
