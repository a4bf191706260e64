"""A task and a pair of asyncio streams a connection."""

import asyncio

from bench.peer import Load, Swarm, ready
from protocol.frames import EMPTY_PING


async def _live(load: Load, connecting: asyncio.Semaphore) -> None:
    async with connecting:
        reader, writer = await asyncio.open_connection("127.0.0.1", load.port)
    await asyncio.sleep(load.first_beat_s())
    while True:
        writer.write(EMPTY_PING)
        await reader.read(64)
        await asyncio.sleep(load.heartbeat_s)


async def _all(load: Load) -> None:
    connecting = asyncio.Semaphore(500)
    await asyncio.gather(*(_live(load, connecting) for _ in range(load.connections)))


def _run(load: Load) -> None:
    ready()
    asyncio.run(_all(load))


PEER = Swarm("asyncio streams", _run)
