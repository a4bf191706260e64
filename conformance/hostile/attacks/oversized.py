"""Frames, bodies and headers that are larger than anything may be, or say that they are."""

from conformance.hostile.attack import attack
from conformance.hostile.ground import Ground, frame
from protocol.messages import Login, Pull, Send

_EACH = 20
_BODIES = {
    "an array of four thousand million": b"\xdd\xff\xff\xff\xff",
    "bytes of four thousand million": b"\x95\xa1a\xa1b\xa4text\xc6\xff\xff\xff\xff",
    "arrays within arrays": b"\x91" * 500_000,
    "a million fields": b"\xdd\x00\x0f\x00\x00" + b"\xc0" * 0xF0000,
}
_REQUESTS = {
    "a body of a terabyte": b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000000\r\n\r\n",
    "a header of a megabyte": b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 1_000_000,
    "a chunk without end": b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    + b"FFFFFFFF\r\n" + bytes(4_000_000),
}  # fmt: skip


@attack(limit_mb=80)
def run(ground: Ground) -> str:
    """Each several times, by strangers and by users, over TCP and over HTTP."""
    first = [frame(Login.TYPE, bytes(1000), announced=size) for size in (2 << 20, 0xFFFFFFFF)]
    first += [frame(Login.TYPE, body) for body in _BODIES.values()]
    later = [frame(kind, body) for body in _BODIES.values() for kind in (Send.TYPE, Pull.TYPE)]
    later += [frame(Send.TYPE, bytes(1000), announced=size) for size in (2 << 20, 0xFFFFFFFF)]

    def throw(number: int) -> None:
        data, to = (first + later + list(_REQUESTS.values()))[number % kinds], number % kinds
        if to < len(first):
            line = ground.open()
        elif to < len(first) + len(later):
            line = ground.login()
        else:
            line = ground.open(ground.http)
        line.socket.settimeout(2.0)
        line.send(data)
        line.drain()

    kinds = len(first) + len(later) + len(_REQUESTS)
    ground.side_by_side(throw, kinds * _EACH)
    return f"{kinds} kinds of frames and requests, up to a terabyte by their own account, {_EACH} times each"
