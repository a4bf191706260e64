"""What an access node has done since it started."""

import msgspec


class Counts(msgspec.Struct, array_like=True):
    """`opened`: connections accepted; `cleared`: those given up after silence; `heartbeats`: answered;
    `pushes`: sent, `repeats` of them because nobody acknowledged."""

    opened: int = 0
    logins: int = 0
    heartbeats: int = 0
    pushes: int = 0
    repeats: int = 0
    cleared: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        pairs = zip(msgspec.structs.astuple(self), msgspec.structs.astuple(other), strict=True)
        return Counts(*(one + another for one, another in pairs))
