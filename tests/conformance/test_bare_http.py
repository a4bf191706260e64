"""Answers to bare requests are read however the server frames them, and however many come at once."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from conformance.bare_http import Answered, BareHttp

Serve = Callable[[bytes], str]


@pytest.fixture
def saying() -> Iterator[Serve]:
    """`saying(data)`: the URL of a server that says just this to whoever says something, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve(data: bytes) -> str:
            def answer() -> None:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(1 << 16)
                    connection.sendall(data)

            threading.Thread(target=answer, daemon=True).start()
            return f"http://127.0.0.1:{listener.getsockname()[1]}"

        yield serve


_LENGTH = b'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{"a":1}'
_CHUNKS = b'HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{"a\r\n4\r\n":1}\r\n0\r\n\r\n'
_NONE = b"HTTP/1.1 204 No Content\r\n\r\n"


@pytest.mark.parametrize(("said", "status"), [(_LENGTH, 200), (_CHUNKS, 201)], ids=["length", "chunks"])
def test_an_answer_is_read_however_it_is_framed(saying: Serve, said: bytes, status: int) -> None:
    with BareHttp(saying(said)) as bare:
        bare.throw(b"anything")
        assert bare.answer() == Answered(status, {"a": 1})
        assert bare.has_ended()


def test_answers_that_come_together_are_told_apart(saying: Serve) -> None:
    with BareHttp(saying(_CHUNKS + _NONE + _LENGTH)) as bare:
        bare.throw(b"anything")
        assert [bare.answer() for _ in range(3)] == [
            Answered(201, {"a": 1}), Answered(204, None), Answered(200, {"a": 1}),
        ]  # fmt: skip


def test_a_connection_that_says_more_has_not_ended(saying: Serve) -> None:
    with BareHttp(saying(_LENGTH + _NONE)) as bare:
        bare.throw(b"anything")
        bare.answer()
        assert not bare.has_ended()


def test_an_end_without_an_answer_has_no_status(saying: Serve) -> None:
    with BareHttp(saying(b"")) as bare:
        bare.throw(b"anything")
        assert bare.status(5.0) is None
