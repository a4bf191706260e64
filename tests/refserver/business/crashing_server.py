"""Run as a program: sends messages until it is killed, and writes a line for each acknowledgement."""

import sys

from gevent.event import Event

from protocol.messages import Error, Message, Send, Sent
from refserver.business import Business
from refserver.storage import Storage


class Printer:
    """Keeps a window of sends open, alternating between the friends and the group."""

    name = "printer"

    def __init__(self, data_dir: str, life: str, users: list[str]) -> None:
        self.business = Business(Storage.open(data_dir))
        self.life = life
        self.users = users
        self.sent = 0

    def send_next(self) -> None:
        n = self.sent = self.sent + 1
        user, peer = self.users[n % 3], self.users[(n + 1) % 3]
        to = "g:team" if n % 2 else peer
        self.business.request(self, n, user, "d", Send(f"{self.life}-{n}", to, "text", b"%d" % n))

    def reply(self, connection: int, message: Message) -> None:
        if isinstance(message, Error):
            sys.exit(f"not accepted: {message}")
        assert isinstance(message, Sent)
        user = self.users[connection % 3]
        print(
            user,
            message.cid,
            message.mid,
            message.conversation,
            message.sequence,
            message.version,
            flush=True,
        )
        self.send_next()

    def attached(self, connection: int, newest: int) -> None: ...

    def push(self, *note: object) -> None: ...

    def tell(self, *note: object) -> None: ...

    def replaced(self, *note: object) -> None: ...


if __name__ == "__main__":
    printer = Printer(sys.argv[1], sys.argv[2], ["alice", "bob", "carol"])
    for _ in range(40):
        printer.send_next()
    Event().wait()
