"""One TCP connection: login, heartbeat, requests and their answers, pushes and their repeats."""

import asyncio
import itertools
import socket
from contextlib import suppress

from .frames import MAX_BODY, MAX_LOGIN, frame, push_frame, read_message
from .hub import STEPS, Hub
from .messages import (
    Bye,
    Entry,
    Error,
    GoAway,
    LoggedIn,
    Login,
    Message,
    Ping,
    Pong,
    Pulled,
    Pushed,
    Refused,
    Send,
    SendPackage,
)
from .store import now_ms

LOGIN_S, FIRST_REPEAT_S, ATTEMPTS = 10, 2, 5
MAX_WAITING = 1 << 20

_sessions = itertools.count(1)


class Connection:
    def __init__(self, hub: Hub, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._hub, self._reader, self._writer = hub, reader, writer
        self._user = self._device = ""
        self._zstd = False
        self._heartbeat_s = 60
        self._unacknowledged: dict[int, Entry] = {}
        self._serving = asyncio.current_task()
        self._loop = asyncio.get_running_loop()
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    async def serve(self) -> None:
        """From the first frame to the end of the connection."""
        try:
            async with asyncio.timeout(LOGIN_S):
                await self._log_in()
            async with asyncio.timeout(self._patience_s) as silence:
                while True:
                    asked = await read_message(self._reader, MAX_BODY, self._zstd)
                    if isinstance(asked, Bye):
                        break
                    self._answer(asked)
                    silence.reschedule(self._loop.time() + self._patience_s)
                    # Who does not read his answers is not read either; who floods waits for his turn.
                    await self._writer.drain()
                    await asyncio.sleep(0)
        except Refused as refused:
            self.tell(Error(refused.code, refused.text, None, True))
        except (TimeoutError, OSError, EOFError, asyncio.CancelledError):
            pass
        finally:
            await self._close()

    @property
    def _patience_s(self) -> float:
        return 1.5 * self._heartbeat_s + 1

    async def _log_in(self) -> None:
        login = await read_message(self._reader, MAX_LOGIN, False)
        if not isinstance(login, Login):
            raise Refused(401, "LOGIN comes first")
        self._user, self._device = self._hub.store.user_of(login.token), login.device
        self._zstd = "zstd" in login.features and self._hub.step >= STEPS[SendPackage]
        self._heartbeat_s = login.heartbeat_s or 60
        older = self._hub.lines[self._user].get(self._device)
        self._hub.lines[self._user][self._device] = self
        if isinstance(older, Connection):
            older.replaced()
        features, newest = ["zstd"] if self._zstd else [], self._hub.store.newest(self._user)
        self.tell(LoggedIn(self._user, next(_sessions), newest, self._heartbeat_s, features, now_ms(), "own"))

    def _answer(self, asked: Message) -> None:
        if STEPS.get(type(asked), 0) > self._hub.step:
            raise Refused(400, f"{type(asked).__name__} comes at a later step")
        if isinstance(asked, Ping):
            if asked.heartbeat_s is not None:
                self._heartbeat_s = asked.heartbeat_s or 60
            self.tell(Pong(self._hub.store.newest(self._user), self._heartbeat_s))
        elif isinstance(asked, Pushed):
            for version in list(
                itertools.takewhile(lambda each: each <= asked.version, self._unacknowledged)
            ):
                del self._unacknowledged[version]
        elif isinstance(asked, Login):
            raise Refused(400, "there was a LOGIN already")
        else:
            try:
                self.tell(self._hub.ask(self._user, self._device, self, asked))
            except Refused as refused:
                cid = asked.cid if isinstance(asked, Send | SendPackage) else None
                self.tell(Error(refused.code, refused.text, cid))

    def tell(self, message: Message) -> None:
        self._writer.write(frame(message, self._zstd and isinstance(message, Pulled)))

    # -- pushes

    def push(self, entry: Entry) -> None:
        """Now, and again until PUSHED comes; what does not fit is left to PULL."""
        if self._hub.step < STEPS[Pushed] or self._writer.transport.get_write_buffer_size() > MAX_WAITING:
            return
        self._unacknowledged[entry.version] = entry
        self._try(entry, 1)

    def _try(self, entry: Entry, attempt: int) -> None:
        if self._unacknowledged.get(entry.version) is not entry or self._writer.is_closing():
            return
        if self._writer.transport.get_write_buffer_size() <= MAX_WAITING:
            self._writer.write(push_frame(entry, attempt))
        if attempt < ATTEMPTS:
            self._loop.call_later(FIRST_REPEAT_S * 2 ** (attempt - 1), self._try, entry, attempt + 1)
        else:
            del self._unacknowledged[entry.version]

    # -- the end

    def replaced(self) -> None:
        self.tell(GoAway("replaced"))
        if self._serving is not None:
            self._serving.cancel()

    async def _close(self) -> None:
        """What was written still arrives: a socket closed with unread input would take it back."""
        if self._hub.lines.get(self._user, {}).get(self._device) is self:
            del self._hub.lines[self._user][self._device]
        self._unacknowledged.clear()
        with suppress(OSError, TimeoutError, RuntimeError):
            async with asyncio.timeout(2):
                self._writer.write_eof()
                while await self._reader.read(1 << 16):
                    pass
        self._writer.transport.abort()
