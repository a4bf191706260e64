"""Message-aware loss: whole frames or nothing, whatever the chunks and whenever it begins."""

import itertools
import struct

from hypothesis import given
from hypothesis import strategies as st

from chaos.framing import Follower
from chaos.pipeline import Pipeline
from chaos.stage import End, Item, Place
from chaos.toxics.frame_loss import FrameLoss, FrameLossStage

_bodies = st.lists(st.binary(max_size=30), max_size=12)


def _frame(number: int, body: bytes) -> bytes:
    # Frames within bodies are what a guess at boundaries would fall for.
    body = struct.pack(">HBBBBI", number, 0xC7, 3, 0, 0, 0) + body
    return struct.pack(">BBBBI", 0xC7, 0x10, 0, 0, len(body)) + body


def _cut(data: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(places) if a < b]


def _stage(probability: float, follower: Follower | None = None, key: str = "k") -> FrameLossStage:
    place = Place(5, key, Follower() if follower is None else follower)
    return FrameLossStage(FrameLoss(probability=probability), place, 0.0)


def _bytes(items: list[Item]) -> bytes:
    return b"".join(item for item in items if not isinstance(item, End))


def _is_subsequence(part: list[bytes], whole: list[bytes]) -> bool:
    rest = iter(whole)
    return all(frame in rest for frame in part)


def _split(data: bytes) -> list[bytes]:
    frames, at = [], 0
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at + 4)
        frames.append(data[at : at + 8 + length])
        at += 8 + length
    return frames


@given(_bodies, st.lists(st.integers(0, 1000)), st.sampled_from([0.0, 0.3, 1.0]))
def test_what_comes_out_is_a_subsequence_of_whole_frames(
    bodies: list[bytes], cuts: list[int], probability: float
) -> None:
    frames = [_frame(number, body) for number, body in enumerate(bodies)]
    pipeline, stage = Pipeline(), _stage(probability)
    pipeline.append("k", stage)
    out: list[Item] = []
    for chunk in _cut(b"".join(frames), cuts):
        out += pipeline.feed(chunk, 0)
    left = _split(_bytes(out))
    assert _is_subsequence(left, frames)
    if probability in (0.0, 1.0):
        assert left == ([] if probability else frames)
    assert pipeline.end(End.EOF, 0) == [End.EOF]


@given(
    _bodies,
    st.lists(st.integers(0, 1000)),
    st.integers(0, 1000),
    st.integers(0, 1000),
    st.lists(st.integers(0, 20), max_size=4),
)
def test_added_spared_and_removed_in_mid_stream_it_cuts_no_frame(
    bodies: list[bytes], cuts: list[int], add: int, remove: int, toggles: list[int]
) -> None:
    frames = [_frame(number, body) for number, body in enumerate(bodies)]
    data = b"".join(frames)
    add, remove = sorted((add % (len(data) + 1), remove % (len(data) + 1)))
    before, between, after = data[:add], data[add:remove], data[remove:]
    follower = Follower()
    for chunk in _cut(before, cuts):
        follower.follow(chunk)
    place = Place(5, "k", follower.copy())
    pipeline, stage = Pipeline(), FrameLossStage(FrameLoss(probability=1.0), place, 0.0)
    pipeline.append("k", stage)
    out: list[Item] = [before]
    for index, chunk in enumerate(_cut(between, cuts)):
        if index in toggles:
            out += pipeline.update("k", stage.attributes, not stage.active, 0)
        out += pipeline.feed(chunk, 0)
    out += pipeline.remove("k", 0)
    out += [after]
    assert _is_subsequence(_split(_bytes(out)), frames)
    assert not place.counts["unframed"], "it never lost its place"


def test_while_toxicity_spares_the_link_it_keeps_its_place() -> None:
    place = Place(5, "k", Follower())
    pipeline, stage = Pipeline(), FrameLossStage(FrameLoss(probability=1.0), place, 0.0)
    pipeline.append("k", stage)
    frames = [_frame(number, b"body") for number in range(4)]
    assert pipeline.feed(frames[0][:12], 0) == [], "held"
    assert _bytes(pipeline.update("k", stage.attributes, False, 0)) == frames[0][:12]
    assert _bytes(pipeline.feed(frames[0][12:] + frames[1][:5], 0)) == frames[0][12:] + frames[1][:5]
    pipeline.update("k", stage.attributes, True, 0)
    assert _bytes(pipeline.feed(frames[1][5:] + frames[2], 0)) == frames[1][5:]
    assert pipeline.feed(frames[3], 0) == []
    assert dict(place.counts) == {"frames": 2, "dropped": 2}


@given(st.binary(min_size=8, max_size=200), st.lists(st.integers(0, 1000)))
def test_what_is_no_frame_passes_untouched(data: bytes, cuts: list[int]) -> None:
    data = b"\x16" + data
    pipeline, stage = Pipeline(), _stage(1.0)
    pipeline.append("k", stage)
    for chunk in _cut(data, cuts):
        assert pipeline.feed(chunk, 0) == [chunk], "nothing is held back"


def test_from_where_framing_fails_everything_passes_and_is_counted() -> None:
    place = Place(5, "k", Follower())
    stage = FrameLossStage(FrameLoss(probability=1.0), place, 0.0)
    frames = _frame(1, b"a") + _frame(2, b"b")
    assert _bytes(stage.take([frames, b"GET / HTTP/1.1\r\n", _frame(3, b"c")], 0)) == (
        b"GET / HTTP/1.1\r\n" + _frame(3, b"c")
    )
    assert dict(place.counts) == {"frames": 2, "dropped": 2, "unframed": 1}


def test_a_stream_that_never_was_chat_is_counted_once_and_left_alone() -> None:
    place = Place(5, "k", None)
    stage = FrameLossStage(FrameLoss(probability=1.0), place, 0.0)
    assert stage.take([_frame(1, b"")], 0) == [_frame(1, b"")]
    assert dict(place.counts) == {"unframed": 1}


def test_a_frame_of_the_largest_size_is_held_until_it_is_whole() -> None:
    header = struct.pack(">BBBBI", 0xC7, 0x10, 0, 0, 2**20)
    stage = _stage(0.0)
    body = bytes(2**20)
    assert stage.take([header, body[:-1]], 0) == []
    assert not stage.full, "more has to be read for the frame to become whole"
    assert stage.take([body[-1:]], 0) == [header + body]


def test_about_as_many_frames_are_lost_as_asked_for() -> None:
    for probability in (0.01, 0.1, 0.5):
        place = Place(5, "k", Follower())
        stage = FrameLossStage(FrameLoss(probability=probability), place, 0.0)
        stage.take([_frame(1, b"x")] * 20_000, 0)
        lost = place.counts["dropped"] / place.counts["frames"]
        deviation = (probability * (1 - probability) / 20_000) ** 0.5
        assert abs(lost - probability) < 5 * deviation


def test_the_same_seed_loses_the_same_frames_and_another_connection_others() -> None:
    frames = [_frame(number, b"") for number in range(200)]
    first, again, other = (
        _bytes(_stage(0.5, key=key).take(list(frames), 0)) for key in ("a/1", "a/1", "a/2")
    )
    assert first == again
    assert first != other


def test_the_chunks_do_not_change_which_frames_are_lost() -> None:
    data = b"".join(_frame(number, b"body") for number in range(100))
    whole = _bytes(_stage(0.5).take([data], 0))
    byte_by_byte = _bytes(_stage(0.5).take([data[at : at + 1] for at in range(len(data))], 0))
    assert whole == byte_by_byte
