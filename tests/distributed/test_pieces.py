"""Files that travel in pieces arrive whole or not at all."""

from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scenarios import pieces
from scenarios.pieces import read_piece, write_pieces


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "PIECE_BYTES", 7)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=40), grown=st.binary(max_size=20))
def test_a_file_arrives_as_it_was_when_its_size_was_told(
    small: None, tmp_path: Path, content: bytes, grown: bytes
) -> None:
    (tmp_path / "there").write_bytes(content + grown)
    assert write_pieces(tmp_path / "here", len(content), partial(read_piece, tmp_path / "there"))
    assert (tmp_path / "here").read_bytes() == content


@pytest.mark.parametrize("last", [None, b""])
def test_of_a_file_that_does_not_come_whole_nothing_is_left(tmp_path: Path, last: bytes | None) -> None:
    given_out = iter([b"abc", last])
    assert not write_pieces(tmp_path / "here", 9, lambda offset: next(given_out))
    assert list(tmp_path.iterdir()) == []
