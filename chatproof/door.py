"""How another machine comes to a run: it asks the master for its share, before it has any swarm process.

This is plain ZeroMQ in Locust's message format, to the one port of the Locust master. It uses no gevent
loop and is closed again before processes are forked, which would share both.
"""

import hashlib
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import zmq
from locust.rpc import Message

from chatproof.errors import CannotRun, WrongUse
from scenarios.pieces import write_pieces
from scenarios.words import PREFIX

_AGAIN_S = 1.0
_PIECE_S = 30.0


class Share(msgspec.Struct, frozen=True):
    """What a machine is to hold: `connections` in these `processes`, by the names of their ledgers, in
    cohorts of `cohort`; `accounts_*`: of the accounts file, which is sent on demand."""

    machine: str
    processes: list[str]
    connections: int
    cohort: int
    endpoints: int
    scenario: str
    accounts_bytes: int
    accounts_digest: str


class Door:
    """The way to the master, until closed."""

    def __init__(self, host: str, port: int) -> None:
        self._address = f"{host}:{port}"
        self._id = f"machine_{uuid.uuid4().hex}"
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.IDENTITY, self._id.encode())
        self._socket.setsockopt(zmq.LINGER, 1000)
        try:
            self._socket.connect(f"tcp://{self._address}")
        except zmq.ZMQError as error:
            self.close()
            raise WrongUse(f"--master {self._address}: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """What was said is sent; nothing of ZeroMQ is left in this process."""
        self._socket.close()
        self._context.term()

    def join(self, asking: dict[str, Any], patience_s: float) -> Share:
        """The share of this machine. Raises CannotRun when no master answers, WrongUse when it refuses."""
        until = time.monotonic() + patience_s
        while (left := until - time.monotonic()) > 0:
            self._say("join", asking)
            answer = self._hear("terms", min(left, _AGAIN_S))
            if answer is None:
                continue
            if "why" in answer:
                raise WrongUse(answer["why"])
            return msgspec.convert(answer, Share)
        raise CannotRun(
            f"no master answered on {self._address} within {patience_s:.0f} s; does "
            f"chatproof run --machines N --bind HOST:PORT run there, and is the port open?"
        )

    def fetch_accounts(self, share: Share, path: Path) -> None:
        """The run's accounts file is `path`. Raises CannotRun."""
        try:
            came = write_pieces(path, share.accounts_bytes, self._next_piece)
        except OSError as error:
            raise CannotRun(f"cannot write {path}: {error.strerror}") from error
        if not came or digest_of(path) != share.accounts_digest:
            raise CannotRun(f"the accounts did not arrive from {self._address}; the master may have ended")

    def give_up(self, share: Share, why: str) -> None:
        """The master hears that this machine cannot hold its share."""
        self._say("unfit", {"machine": share.machine, "why": why})

    def _next_piece(self, offset: int) -> bytes | None:
        self._say("accounts", {"offset": offset})
        answer = self._hear("accounts", _PIECE_S, lambda content: content["offset"] == offset)
        return None if answer is None else bytes(answer["piece"])

    def _say(self, word: str, content: dict[str, Any]) -> None:
        self._socket.send(Message(PREFIX + word, content, self._id).serialize())

    def _hear(
        self,
        word: str,
        timeout_s: float,
        is_it: Callable[[dict[str, Any]], bool] = lambda content: True,
    ) -> dict[str, Any] | None:
        """The next message of that word; None if none comes in time."""
        until = time.monotonic() + timeout_s
        while (left := until - time.monotonic()) > 0:
            if not self._socket.poll(int(left * 1000) + 1):
                break
            message = Message.unserialize(self._socket.recv())
            if message.type == PREFIX + word and is_it(message.data):
                content: dict[str, Any] = message.data
                return content
        return None


def digest_of(path: Path) -> str:
    """What accounts files are compared by. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()
