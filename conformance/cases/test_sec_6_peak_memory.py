"""SEC.6: what is refused is not unpacked or gathered first, not even for a moment."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import zstandard

from conformance.accounts import Block
from conformance.carriers import on_a_connection
from conformance.target import Target
from conformance.verdicts import not_offered
from drivers.pumps.wire import Wire
from protocol.limits import FEATURE_ZSTD, FLAG_COMPRESSED
from protocol.messages import LoggedIn, Login, Pull, Send

_PEAK_BYTES = 64 << 20
"""Eight times what a body may inflate to; a fourth of what the bombs hold."""


def peak_bytes(pids: list[int], field: str = "VmHWM:") -> int:
    """The most that the processes ever held, each; or what they hold now."""
    found = 0
    for pid in pids:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        found += sum(int(line.split()[1]) << 10 for line in lines if line.startswith(field))
    return found


@pytest.mark.clause("SEC.6")
@on_a_connection("over polls frames do not travel, requests are made of them")
def test_a_bomb_is_not_even_inflated_for_a_moment(
    block: Block, target: Target, wire: Callable[[], Wire]
) -> None:
    """... a compressed bomb ... no growth without bound: at no moment.

    Frames of some kilobytes that would be 256 MiB, with and without their size declared, come as SEND and as
    PULL from a user who offered zstd. Expected: the most that the server's processes ever held grows by less
    than 64 MiB.
    """
    if not target.is_ours:
        not_offered("the target was not started by us, so its memory cannot be seen")
    pids = list(target.running_server().pids)
    if not Path(f"/proc/{pids[0]}/clear_refs").exists():
        not_offered("this system does not tell the peak of a process")
    for pid in pids:
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    before = peak_bytes(pids, "VmRSS:")
    zeros = bytes(64 << 20)
    compressor = zstandard.ZstdCompressor(level=1).compressobj()
    undeclared = b"".join(compressor.compress(zeros) for _ in range(4)) + compressor.flush()
    compressor = zstandard.ZstdCompressor(level=1).compressobj(size=256 << 20)
    declared = b"".join(compressor.compress(zeros) for _ in range(4)) + compressor.flush()
    for number, body in enumerate((undeclared, declared)):
        for kind in (Send.TYPE, Pull.TYPE):
            connection = wire()
            connection.send(Login(block.users[0].token, f"{number}-{kind}", features=[FEATURE_ZSTD]))
            connection.expect(LoggedIn)
            head = bytes((0xC7, kind, FLAG_COMPRESSED, 0)) + len(body).to_bytes(4, "big")
            with suppress(ConnectionError):
                connection.send_bytes(head + body)
            connection.expect_closed()
    grown = peak_bytes(pids) - before
    assert grown < _PEAK_BYTES, (
        f"expected a peak of less than {_PEAK_BYTES >> 20} MiB more, it was {grown >> 20} MiB"
    )
