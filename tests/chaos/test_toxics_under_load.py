"""Toxics that change nothing come and go while both directions are busy: every byte arrives, in order."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.control import ToxiproxyControl
from protocol.frames import encode
from protocol.messages import Bye, Send
from tests.chaos.conftest import PATIENCE_S, Line

_HARMLESS: list[tuple[str, dict[str, Any]]] = [
    ("noop", {}),
    ("latency", {"latency": 3, "jitter": 3}),
    ("bandwidth", {"rate": 20_000}),
    ("bandwidth", {"rate": 0}),
    ("shared_bandwidth", {"rate": 20_000}),
    ("slow_close", {"delay": 1}),
    ("slicer", {"average_size": 3000, "size_variation": 3000, "delay": 10}),
    ("frame_loss", {"probability": 0.0}),
    ("frame_duplicate", {"probability": 0.0}),
    ("frame_corrupt", {"probability": 0.0}),
    ("frame_reorder", {"probability": 0.0}),
    ("frame_reorder", {"probability": 1.0, "types": "ping"}),
    ("frame_delay", {"delay": 5, "types": "ping"}),
    ("drop_first", {"count": 0}),
]
_LAST = encode(Bye())

_steps = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(_HARMLESS), st.sampled_from(["upstream", "downstream"])),
        st.tuples(st.just("remove"), st.integers(0, 9)),
        st.tuples(st.just("spare"), st.integers(0, 9)),
    ),
    min_size=4,
    max_size=14,
)


class Flow:
    """Numbered frames from one end to the other until `stop`, then a last one. `is_whole` once all came."""

    def __init__(self, source: Any, sink: Any) -> None:
        self._source, self._sink = source, sink
        self._stopping = threading.Event()
        self._going = threading.Semaphore(0)
        self.sent = self.came = 0
        self.wrong = ""
        self._threads = [threading.Thread(target=self._send), threading.Thread(target=self._receive)]
        for thread in self._threads:
            thread.start()

    def _frames(self) -> Iterator[bytes]:
        number = 0
        while not self._stopping.is_set():
            yield encode(Send(str(number), "anna", "text", bytes(number * 37 % 3000), number))
            number += 1
        yield _LAST

    def _send(self) -> None:
        for frame in self._frames():
            self._source.sendall(frame)
            self.sent += 1

    def _receive(self) -> None:
        held, number = bytearray(), 0
        while not held.startswith(_LAST) and not self.wrong:
            data = self._sink.recv(65536)
            if not data:
                self.wrong = "it ended"
            held += data
            while held and not held.startswith(_LAST):
                frame = encode(Send(str(number), "anna", "text", bytes(number * 37 % 3000), number))
                if len(held) < len(frame):
                    break
                if not held.startswith(frame):
                    self.wrong = f"frame {number} is not what came"
                    break
                del held[: len(frame)]
                number += 1
            self.came = number
            self._going.release()

    def go_on(self) -> None:
        """Something more has come."""
        while self._going.acquire(blocking=False):
            pass
        assert self._going.acquire(timeout=PATIENCE_S)

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


@pytest.fixture(scope="module")
def busy(toxiproxy_url: str) -> ToxiproxyControl:
    """No call may take longer, whatever the connections do."""
    return ToxiproxyControl(toxiproxy_url, limit_s=PATIENCE_S)


@settings(max_examples=8)
@given(steps=_steps)
def test_no_byte_is_lost_when_harmless_toxics_come_and_go_under_load(
    busy: ToxiproxyControl, steps: list[tuple[Any, Any]]
) -> None:
    line, names = Line(busy), list[str]()
    client, server = line.connect()
    flows = [Flow(client, server), Flow(server, client)]
    try:
        for flow in flows:
            flow.go_on()
        for number, (what, where) in enumerate(steps):
            if what == "remove" and names:
                line.remove(names.pop(where % len(names)))
            elif what == "spare" and names:
                busy.update_toxic(line.proxy, names[where % len(names)], {}, toxicity=where % 2)
            elif not isinstance(what, str):
                name, attributes = what
                names.append(
                    busy.add_toxic(line.proxy, name, name=str(number), stream=where, attributes=attributes)
                )
        for name in names:
            line.remove(name)
        for flow in flows:
            flow.go_on()
    finally:
        for flow in flows:
            flow.stop()
        line.close()
    assert [(flow.came, flow.wrong) for flow in flows] == [(flow.sent - 1, "") for flow in flows]
