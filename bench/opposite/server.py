"""The least that answers a heartbeat: one epoll set, no state a connection.

It knows by its first bytes what has come: a heartbeat of the chat protocol, one in a WebSocket frame, a line
of text, the request for a WebSocket; everything else is for the postman.
"""

import argparse
import base64
import gc
import hashlib
import os
import re
import select
import socket
import time

from bench.opposite.counts import Counts
from bench.opposite.postman import Postman
from protocol.frames import EMPTY_PING, encode
from protocol.messages import Pong
from reactor import sockets

TEXT_BEAT = b"heartbeat\n"
_BATCH = 1024
_KEY = re.compile(rb"sec-websocket-key: *(\S+)", re.IGNORECASE)
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
_BINARY = 0x82


class Server:
    """`run` serves until standard input ends."""

    def __init__(self, listener: socket.socket, heartbeat_s: int) -> None:
        self._listener = listener
        self._epoll = select.epoll()
        self._pong = encode(Pong(0, heartbeat_s))
        self._framed_pong = bytes((_BINARY, len(self._pong))) + self._pong
        self.counts = Counts(os.getpid())
        self._postman = Postman(heartbeat_s, self.counts)

    def run(self) -> None:
        self._epoll.register(0, select.EPOLLIN)
        self._epoll.register(self._listener.fileno(), select.EPOLLIN)
        while True:
            for fd, _ in self._epoll.poll(-1, _BATCH):
                if fd == 0:
                    if not os.read(0, 4096):
                        return
                    self.counts.tell()
                elif fd == self._listener.fileno():
                    self._accept()
                else:
                    self._ready(fd)

    def _accept(self) -> None:
        now = time.monotonic()
        self.counts.first_s = self.counts.first_s or now
        for fd in sockets.accept_batch(self._listener):
            self._epoll.register(fd, select.EPOLLIN)
            self.counts.came_up(now)

    def _ready(self, fd: int) -> None:
        try:
            data = sockets.read(fd)
            if data == EMPTY_PING and not self._postman.versions:
                sockets.write(fd, self._pong)
                self.counts.beats += 1
            elif data:
                self._received(fd, data)
            elif data is not None:
                self._close(fd)
        except OSError:  # a reset: the peer was ended with its connections open
            self._close(fd)

    def _received(self, fd: int, data: bytes) -> None:
        if data[0] == _BINARY:
            sockets.write(fd, self._framed_pong)
            self.counts.beats += 1
        elif data.startswith(TEXT_BEAT):
            sockets.write(fd, data)
            self.counts.beats += 1
        elif data.startswith(b"GET "):
            self._upgrade(fd, data)
        else:
            self._postman.receive(fd, data)

    def _upgrade(self, fd: int, request: bytes) -> None:
        key = _KEY.search(request)
        if key is None:
            self._close(fd)
            return
        accept = base64.b64encode(hashlib.sha1(key[1] + _GUID).digest())
        sockets.write(fd, _UPGRADED + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        self.counts.last_s = time.monotonic()

    def _close(self, fd: int) -> None:
        self.counts.up -= 1
        self.counts.dropped += 1
        self._postman.forget(fd)
        self._epoll.unregister(fd)
        sockets.close(fd)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.opposite.server")
    parser.add_argument("--heartbeat", type=int, required=True)
    listener = sockets.listen("127.0.0.1", 0)
    print(listener.getsockname()[1], flush=True)
    server = Server(listener, parser.parse_args().heartbeat)
    gc.freeze()
    server.run()


if __name__ == "__main__":
    main()
