"""A headless Chromium with one page, driven over its DevTools protocol."""

import itertools
import json
import os
import signal
import subprocess
import tempfile
from contextlib import ExitStack
from typing import Any, Self

from websockets.sync.client import connect

_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0",
)  # fmt: skip
_ANSWER_S = 90


class PageError(Exception):
    """The script on the page threw; the text is what it said."""


class Chromium:
    """Open from `with` on, on the page at `url`."""

    def __init__(self, program: str, url: str) -> None:
        self._program, self._url = program, url
        self._numbers = itertools.count(1)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        profile = tempfile.TemporaryDirectory(prefix="chatproof-browser-", ignore_cleanup_errors=True)
        command = [
            self._program,
            *_FLAGS,
            f"--user-data-dir={self._stack.enter_context(profile)}",
            "about:blank",
        ]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        self._stack.callback(self._kill)
        self._devtools = self._stack.enter_context(
            connect(self._address(), max_size=None, proxy=None, open_timeout=_ANSWER_S, ping_interval=None)
        )
        pages = self._call("Target.getTargets")["targetInfos"]
        target = next(page["targetId"] for page in pages if page["type"] == "page")
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        # It is answered once the page is the new one: the empty one before it is complete at once.
        self._call("Page.navigate", self._session, url=self._url)
        self._await_page()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _kill(self) -> None:
        # A session of its own, so that the processes which it started end with it.
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process.stderr.close()

    def run(self, script: str) -> Any:
        """What `script`, the inside of an async function, returns. Raises PageError for what it throws."""
        return self._evaluate(f"(async () => {{ {script} }})()")

    def _address(self) -> str:
        for line in self._process.stderr:
            if line.startswith("DevTools listening on "):
                return line.removeprefix("DevTools listening on ").strip()
        raise RuntimeError("chromium ended before it said where its DevTools listen")

    def _await_page(self) -> None:
        is_loaded, loads = 'document.readyState === "complete"', 'addEventListener("load", () => done())'
        self._evaluate(f"new Promise(done => {is_loaded} ? done() : {loads})")

    def _evaluate(self, expression: str) -> Any:
        answer = self._call(
            "Runtime.evaluate", self._session, expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise PageError(answer["exceptionDetails"]["exception"].get("description", "no description"))
        return answer["result"].get("value")

    def _call(self, method: str, session: str | None = None, **parameters: Any) -> Any:
        number = next(self._numbers)
        call = {"id": number, "method": method, "params": parameters}
        self._devtools.send(json.dumps(call if session is None else {**call, "sessionId": session}))
        while True:
            answer = json.loads(self._devtools.recv(_ANSWER_S))
            if answer.get("id") != number:
                continue
            if "error" in answer:
                raise RuntimeError(f"{method}: {answer['error']['message']}")
            return answer["result"]
