"""Two well-behaved users who talk steadily, as a process of their own, so that no attacker holds them up.

    python -m conformance.hostile.bystanders ADDRESS:PORT

Tokens come on the first line of stdin, `talker listener`. Says "ready" when both are in, and for each message
a line: when it was to be sent (monotonic ns), and after how many ns it was shown. When stdin ends, waits for
what is still on its way and says how much of it never came.
"""

import sys
import time

import gevent
from gevent.fileobject import FileObject

from drivers.endpoints import parse_target
from drivers.pumps.wire import Expected, Wire
from protocol.messages import LoggedIn, Login, Push, Pushed, Send

EVERY_S = 0.01
LAST_WORDS_S = 10.0
_BODY = bytes(100)


class Talk:
    """Messages from one to the other, each at its time, whatever became of those before it."""

    def __init__(self, url: str, talker: str, listener: str) -> None:
        endpoint = parse_target(url)
        self._talker, self._listener = Wire(endpoint), Wire(endpoint)
        for wire, token in ((self._talker, talker), (self._listener, listener)):
            wire.send(Login(token, "bystander"))
            answer = wire.expect(LoggedIn)
            self._to = answer.user
        self._planned_ns: dict[bytes, int] = {}
        self._is_over = False

    def begin(self) -> None:
        self._greenlets = [gevent.spawn(act) for act in (self._say, self._hear_answers, self._listen)]

    def end(self) -> int:
        """How many messages were not shown."""
        self._is_over = True
        until = time.monotonic() + LAST_WORDS_S
        while self._planned_ns and time.monotonic() < until:
            gevent.sleep(EVERY_S)
        gevent.killall(self._greenlets)
        return len(self._planned_ns)

    def _say(self) -> None:
        due, run, number = time.monotonic(), time.monotonic_ns(), 0
        while not self._is_over:
            due += EVERY_S
            gevent.sleep(max(0.0, due - time.monotonic()))
            cid = f"{run}.{number}"
            number += 1
            self._planned_ns[cid.encode()] = int(due * 1e9)
            self._talker.send(Send(cid, self._to, "text", cid.encode() + _BODY))

    def _hear_answers(self) -> None:
        while self._talker.next(LAST_WORDS_S * 10) is not None:
            pass

    def _listen(self) -> None:
        while (message := self._listener.next(LAST_WORDS_S * 10)) is not None:
            if isinstance(message, Push):
                planned_ns = self._planned_ns.pop(message.body.rstrip(b"\0"), None)
                if planned_ns is not None:
                    print(planned_ns, time.monotonic_ns() - planned_ns, flush=True)
                self._listener.send(Pushed(message.version))


def main() -> int:
    """0: all was shown in the end, or not; 1: it could not be begun."""
    talker, listener = sys.stdin.readline().split()
    try:
        talk = Talk(f"chat+tcp://{sys.argv[1]}", talker, listener)
    except (OSError, Expected) as error:
        print(error, file=sys.stderr)
        return 1
    print("ready", flush=True)
    talk.begin()
    FileObject(sys.stdin.fileno(), closefd=False).read()
    print("lost", talk.end(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
