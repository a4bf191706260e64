from drivers.pumps.lossy import LossyPath
from protocol import frames
from protocol.messages import Message, Ping, Pong, Pulled

SENT = [Ping(), Pong(3, 60), Ping(7)]
DATA = b"".join(map(frames.encode, SENT))


def lose_pongs(direction: str, message: Message) -> bool:
    assert direction == "down"
    return isinstance(message, Pong)


def test_whole_frames_are_lost_wherever_the_bytes_are_cut() -> None:
    kept = frames.encode(Ping()) + frames.encode(Ping(7))
    for at in range(len(DATA) + 1):
        path = LossyPath("down")
        assert path.passed(DATA[:at], lose_pongs) + path.passed(DATA[at:], lose_pongs) == kept


def test_losing_may_begin_in_the_middle_of_a_frame() -> None:
    path = LossyPath("down")
    assert path.passed(DATA[:11], None) + path.passed(DATA[11:], lose_pongs) == (
        frames.encode(Ping()) + frames.encode(Ping(7))
    )


def test_what_gets_through_is_the_same_bytes_also_when_compressed() -> None:
    frame = frames.encode(Pulled([], 3, False), compressed=True)
    assert LossyPath("down").passed(frame, lose_pongs) == frame


def test_what_is_no_frame_is_left_for_the_client_to_judge() -> None:
    broken = frames.encode(Ping()) + b"GET / HTTP/1.1\r\n"
    assert LossyPath("down").passed(broken, lose_pongs) == broken
    unknown = bytes([0xC7, 0x99, 0, 0, 0, 0, 0, 0])
    assert LossyPath("down").passed(unknown, lose_pongs) == unknown


def test_bytes_of_another_protocol_do_not_wait_for_a_header_of_ours() -> None:
    path = LossyPath("down")
    assert path.passed(b"\xd0\0", lose_pongs) == b"\xd0\0"
    assert path.passed(b"\xc7", lose_pongs) == b"\xc7"
