"""`python -m examples.own_server serve`, `… accounts`, `… crowd`."""

import argparse
import asyncio
from contextlib import suppress
from functools import partial
from pathlib import Path

from . import accounts, web
from .connection import Connection
from .hub import Hub
from .store import Store

LAST_STEP = 5


async def serve(data: str, tcp: int, http: int | None, step: int) -> None:
    """Both doors, until the process ends."""
    hub = Hub(Store(data), step)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Connection(hub, reader, writer).serve()

    doors = [await asyncio.start_server(connected, "127.0.0.1", tcp, backlog=1024)]
    if http is not None:
        doors.append(await asyncio.start_server(partial(web.serve, hub), "127.0.0.1", http, backlog=1024))
    ports = [door.sockets[0].getsockname()[1] for door in doors]
    names = [f"{kind}://127.0.0.1:{port}" for kind, port in zip(("tcp", "http"), ports, strict=False)]
    print("ready", *names, flush=True)
    await asyncio.gather(*(door.serve_forever() for door in doors))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m examples.own_server")
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser("serve", help="serve until Ctrl-C")
    serving.add_argument("--tcp", type=int, default=14100, metavar="PORT")
    serving.add_argument("--http", type=int, metavar="PORT", help="also take short requests there")
    serving.add_argument("--step", type=int, default=LAST_STEP, help="leave out what the guide adds later")
    making = commands.add_parser("accounts", help="make new users for one run of the suite")
    making.add_argument("--blocks", type=int, default=440)
    making.add_argument("--out", type=Path, default=Path("accounts.json"))
    crowding = commands.add_parser("crowd", help="make new users for a run under load")
    crowding.add_argument("--circles", type=int, default=40, help="of five users each")
    crowding.add_argument("--out", type=Path, default=Path("crowd.csv"))
    for each in (serving, making, crowding):
        each.add_argument("--data", default="own.db", metavar="FILE")
    given = parser.parse_args()
    if given.command == "accounts":
        accounts.write(Store(given.data), given.out, given.blocks)
    elif given.command == "crowd":
        accounts.write_crowd(Store(given.data), given.out, given.circles)
    else:
        with suppress(KeyboardInterrupt):
            asyncio.run(serve(given.data, given.tcp, given.http, given.step))


if __name__ == "__main__":
    main()
