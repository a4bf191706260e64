"""frame_corrupt: messages get damaged, each with the same probability."""

from dataclasses import dataclass

from chaos.frame_stage import FrameAttributes, FrameStage, check_probability
from chaos.framers import Framer
from chaos.toxics import toxic

HEADER, BODY = "header", "body"


@dataclass(frozen=True, slots=True)
class FrameCorrupt(FrameAttributes):
    """`part` "header": so that whoever reads it has to notice and to give the connection up. "body": one bit
    behind the header, which nothing but a digest from end to end need notice."""

    probability: float = 0.0
    part: str = HEADER

    def check(self) -> None:
        FrameAttributes.check(self)
        check_probability(self.probability)
        if self.part not in (HEADER, BODY):
            raise ValueError(f"part {self.part!r} is unknown, there are {HEADER}, {BODY}")


@toxic("frame_corrupt", FrameCorrupt, go_struct="FrameCorruptToxic")
class FrameCorruptStage(FrameStage[FrameCorrupt]):
    """A message without a body cannot be hit there. Counts "corrupted" besides."""

    __slots__ = ()

    def act(self, message: bytes, now: float, out: list[bytes]) -> None:
        if self._chance.random() < self.attributes.probability:
            assert self._follower is not None, "messages are cut only where a framer is known"
            assert self._follower.framer is not None, "messages are cut only where a framer is known"
            message = self._damaged(self._follower.framer, message)
        out.append(message)

    def _damaged(self, framer: Framer, message: bytes) -> bytes:
        draw = self._chance.random()
        if self.attributes.part == HEADER:
            self._counts["corrupted"] += 1
            return framer.spoil(message, draw)
        start = framer.body_at(message)
        if start >= len(message):
            return message
        self._counts["corrupted"] += 1
        bit = int(draw * (len(message) - start) * 8)
        damaged = bytearray(message)
        damaged[start + bit // 8] ^= 1 << bit % 8
        return bytes(damaged)
