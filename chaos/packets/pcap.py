"""pcap files with nanoseconds and bare IP packets, as every packet analyser reads them."""

from collections.abc import Iterator
from pathlib import Path
from struct import Struct, error
from typing import BinaryIO, NamedTuple

_MAGIC_NS = 0xA1B23C4D
_RAW_IP = 101
_HEADER = Struct("<IHHiIII")
_RECORD = Struct("<IIII")


class Packet(NamedTuple):
    """`at_ns`: since 1970. `data` may be less than the packet's `length`."""

    at_ns: int
    data: bytes
    length: int


def begin(file: BinaryIO, snap_bytes: int) -> int:
    """The file has its header; how long that is."""
    return file.write(_HEADER.pack(_MAGIC_NS, 2, 4, 0, 0, snap_bytes, _RAW_IP))


def record(packet: Packet) -> bytes:
    """The packet as it stands in a file."""
    seconds, rest = divmod(packet.at_ns, 1_000_000_000)
    return _RECORD.pack(seconds, rest, len(packet.data), packet.length) + packet.data


def packets(*paths: Path) -> Iterator[Packet]:
    """Those of all files, in the order of the files; what was cut off in the middle of one is left out.

    Raises ValueError for what is no such file.
    """
    for path in paths:
        data = path.read_bytes()
        try:
            magic, *_, kind = _HEADER.unpack_from(data)
        except error:
            magic, kind = 0, 0
        if (magic, kind) != (_MAGIC_NS, _RAW_IP):
            raise ValueError(f"{path} is no pcap file of ours")
        at = _HEADER.size
        while at + _RECORD.size <= len(data):
            seconds, rest, kept, length = _RECORD.unpack_from(data, at)
            at += _RECORD.size
            if at + kept > len(data):
                break
            yield Packet(seconds * 1_000_000_000 + rest, data[at : at + kept], length)
            at += kept
