"""One wrong bit in what a packet carries, with or without a checksum that hides it."""

import random
from struct import pack, pack_into, unpack

_TCP, _UDP = 6, 17
_CHECKSUM_AT = {_TCP: 16, _UDP: 6}


def flip_a_bit(packet: bytes, dice: random.Random, *, mend: bool) -> bytes:
    """The IPv4 packet with one bit of its TCP or UDP payload turned; the very same if it carries none.

    `mend`: its checksum fits again, so that only the application can notice.
    """
    start = payload_at(packet)
    if start is None or start >= len(packet):
        return packet
    damaged = bytearray(packet)
    damaged[start + dice.randrange(len(packet) - start)] ^= 1 << dice.randrange(8)
    if mend:
        header = (packet[0] & 0x0F) * 4
        at = header + _CHECKSUM_AT[packet[9]]
        pack_into("!H", damaged, at, 0)
        pack_into("!H", damaged, at, checksum(damaged, header, packet[9]))
    return bytes(damaged)


def payload_at(packet: bytes) -> int | None:
    """Where the payload of TCP or UDP begins in an IPv4 packet; None for anything else, and for fragments."""
    if len(packet) < 28 or packet[0] >> 4 != 4 or packet[9] not in _CHECKSUM_AT:
        return None
    if unpack("!H", packet[6:8])[0] & 0x3FFF:
        return None
    header = (packet[0] & 0x0F) * 4
    if packet[9] == _UDP:
        return header + 8
    if len(packet) < header + 20:
        return None
    return header + (packet[header + 12] >> 4) * 4


def checksum(packet: bytes | bytearray, header: int, protocol: int) -> int:
    """Of TCP or UDP over pseudo header, header and payload (RFC 9293 section 3.1, RFC 768)."""
    body = bytes(packet[header:])
    whole = bytes(packet[12:20]) + pack("!BBH", 0, protocol, len(body)) + body
    whole += b"\0" * (len(whole) % 2)
    total = sum(unpack(f"!{len(whole) // 2}H", whole))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    found = ~total & 0xFFFF
    return found or (0xFFFF if protocol == _UDP else 0)
