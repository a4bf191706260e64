"""slixmpp as the oracle: it and our dialect exchange messages through a real prosody."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

import gevent
import pytest

from drivers import events
from drivers.contract import Identity
from drivers.policy import Policy
from drivers.pumps.blocking import Device

_QUICK = Policy(heartbeat_s=60, reconnect_base_s=0.05, reconnect_cap_s=0.5)


class Slixmpp:
    """A client of slixmpp's in a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._told: Queue[dict[str, Any]] = Queue()
        Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._told.put(json.loads(line))

    def heard(self, what: str) -> dict[str, Any]:
        """The next thing of the kind that it tells; devices of ours live on meanwhile."""
        with gevent.Timeout(60, AssertionError(f"slixmpp told of no {what}")):
            while True:
                while self._told.empty():
                    gevent.sleep(0.01)
                told = self._told.get()
                if told["what"] == what:
                    return told

    def send(self, **command: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()


@contextmanager
def _slixmpp(prosody, identity: Identity) -> Iterator[Slixmpp]:
    target = prosody.target()
    program = str(Path(__file__).with_name("slixmpp_peer.py"))
    address = f"{identity.user}@localhost/{identity.device}"
    with subprocess.Popen(
        [sys.executable, program, target.host, str(target.port), address, identity.secret],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        peer = Slixmpp(process)
        try:
            peer.heard("ready")
            yield peer
        finally:
            process.kill()


@pytest.mark.parametrize("carrier", ["tcp", "ws"])
def test_messages_pass_both_ways_with_receipts_and_copies(prosody, carrier: str) -> None:
    ann, bob = prosody.identity(), prosody.identity()
    of_ann = Identity(ann.user, "slix", ann.secret)
    with (
        _slixmpp(prosody, bob) as theirs, _slixmpp(prosody, of_ann) as other_of_ours,
        Device((prosody.target(carrier, "receipts=yes"),), ann, policy=_QUICK) as ours,
    ):  # fmt: skip
        ours.log_in()
        text = "grüße <&> 🙂"
        acked = ours.send_and_await(bob.user, text.encode())
        message = theirs.heard("message")
        assert (message["body"], message["id"]) == (text, acked.cid)
        assert message["sender"] == f"{ann.user}@localhost/d0"
        assert other_of_ours.heard("sent")["body"] == text, "a copy for the other device"
        ours.send_and_await(bob.user, b"\x00\x01")
        assert theirs.heard("message")["body"] == "text of 2 bytes", "bytes have a readable stand-in"

        theirs.send(to=f"{ann.user}@localhost", body="antwort <&>", receipt=True)
        shown = ours.await_delivered(b"antwort <&>")
        assert (shown.entry.sender, shown.entry.conversation) == (
            bob.user,
            ":".join(sorted((ann.user, bob.user))),
        )
        assert theirs.heard("receipt")["id"], "our dialect confirms what it was asked to confirm"
        other_of_ours.send(to=f"{bob.user}@localhost", body="from my other device")
        assert ours.await_delivered(b"from my other device").entry.sender == ann.user


def test_after_a_resumption_everything_has_passed_once_both_ways(prosody) -> None:
    ann, bob = prosody.identity(), prosody.identity()
    with _slixmpp(prosody, bob) as theirs, Device((prosody.target(),), ann, policy=_QUICK) as ours:
        ours.log_in()
        for number in range(3):
            ours.cut()
            seen = len(ours.events)
            theirs.send(to=f"{ann.user}@localhost", body=f"theirs {number}")
            ours.send(bob.user, b"ours %d" % number)
            ours.await_event(events.LoggedIn, since=seen)
            ours.await_delivered(b"theirs %d" % number)
            assert theirs.heard("message")["body"] == f"ours {number}"
        assert [entry.body for entry in ours.timeline()] == [b"theirs %d" % number for number in range(3)]
