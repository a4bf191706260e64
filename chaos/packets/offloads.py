"""Devices that pass packets as they would be on a cable: no larger, and with their checksums."""

import _socket
import fcntl
import struct
from array import array

from chaos.errors import PacketsError
from chaos.packets.namespace import Namespace

_SIOCETHTOOL = 0x8946
_SET = {"tx checksums": 0x17, "tso": 0x1F, "gso": 0x24, "gro": 0x2C}


def switch_off(namespace: Namespace, device: str) -> None:
    """Packets are not put together, and checksums not left to hardware that is not there.

    Raises PacketsError.
    """
    with namespace.entered():
        handle = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)
    try:
        for name, command in _SET.items():
            value = array("I", [command, 0])
            request = struct.pack("16sP", device.encode(), value.buffer_info()[0])
            try:
                fcntl.ioctl(handle.fileno(), _SIOCETHTOOL, request)
            except OSError as error:
                raise PacketsError(f"cannot switch off {name} of {device}: {error.strerror}") from error
    finally:
        handle.close()
