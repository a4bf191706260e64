"""An asyncio protocol a connection, no task: callbacks and a timer."""

import asyncio

from bench.peer import Load, Swarm, ready
from protocol.frames import EMPTY_PING


class _Beating(asyncio.Protocol):
    __slots__ = ("_load", "_loop", "_transport")

    def __init__(self, load: Load, loop: asyncio.AbstractEventLoop) -> None:
        self._load = load
        self._loop = loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        self._loop.call_later(self._load.first_beat_s(), self._beat)

    def data_received(self, data: bytes) -> None:
        self._loop.call_later(self._load.heartbeat_s, self._beat)

    def _beat(self) -> None:
        self._transport.write(EMPTY_PING)


async def _all(load: Load) -> None:
    loop = asyncio.get_running_loop()
    connecting = asyncio.Semaphore(500)

    async def connect() -> None:
        async with connecting:
            await loop.create_connection(lambda: _Beating(load, loop), "127.0.0.1", load.port)

    await asyncio.gather(*(connect() for _ in range(load.connections)))
    await asyncio.Event().wait()


def _run(load: Load) -> None:
    ready()
    asyncio.run(_all(load))


PEER = Swarm("asyncio protocols", _run)
