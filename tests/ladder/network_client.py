"""A client in a network of its own: a line of JSON in says where to go, a line out says what came of it.

    {"url": "chat+scheduler://…", "user": "u1", "token": "…", "timeout_s": 10}
    {"via": "tcp:443", "took_s": 0.4, "trouble": "", "heard": true}

`heard`: what it then sent to itself was acknowledged.
"""

import json
import sys
import time

from drivers import events
from drivers.contract import Identity
from drivers.endpoints import parse_target
from drivers.pumps.blocking import Device
from drivers.pumps.wire import Expected


def main() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        began = time.monotonic()
        via, heard = "", False
        with Device((parse_target(asked["url"]),), Identity(asked["user"], "d", asked["token"])) as device:
            try:
                via = device.log_in(asked["timeout_s"]).endpoint
                took_s = time.monotonic() - began
                device.send_and_await(asked["to"], b"hello")
                heard = True
            except Expected:
                took_s = time.monotonic() - began
            failed = device.all_of(events.ConnectFailed)
            trouble = failed[0].reason if failed else ""
        print(json.dumps({"via": via, "took_s": took_s, "trouble": trouble, "heard": heard}), flush=True)


if __name__ == "__main__":
    main()
