"""A client in a network of its own: a line of JSON in says where to go, a line out says what came of it.

    {"url": "chat+scheduler://…", "user": "u1", "token": "…", "is_blocked": false, "to": "u2"}
    {"via": "tcp:443", "took_s": 0.4, "trouble": "", "heard": true}

`is_blocked`: nothing will get through. `heard`: what it then sent was acknowledged.
"""

import json
import sys
import time

from drivers import events
from drivers.contract import Identity
from drivers.endpoints import parse_target
from drivers.pumps.blocking import Device
from drivers.pumps.wire import Expected

_LOGIN_S = 10.0
_PATIENCE_S = 60.0


def main() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        began = time.monotonic()
        via, heard = "", False
        with Device((parse_target(asked["url"]),), Identity(asked["user"], "d", asked["token"])) as device:
            try:
                if asked["is_blocked"]:
                    device.start().await_event(events.ConnectFailed, timeout_s=_PATIENCE_S)
                else:
                    device.log_in(_LOGIN_S)
                took_s = time.monotonic() - began
                if not asked["is_blocked"]:
                    device.send_and_await(asked["to"], b"hello")
                    heard = True
            except Expected:
                took_s = time.monotonic() - began
            via = "".join(event.endpoint for event in device.all_of(events.LoggedIn)[:1])
            failed = device.all_of(events.ConnectFailed)
            trouble = failed[0].reason if failed else ""
        print(json.dumps({"via": via, "took_s": took_s, "trouble": trouble, "heard": heard}), flush=True)


if __name__ == "__main__":
    main()
