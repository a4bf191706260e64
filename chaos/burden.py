"""What a server is made to bear besides its work."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Burden:
    """`commit_delay_s`: how much longer each commit takes. `disk_is_full`: commits find no space.
    `clock_ahead_s`: by how much its clock is ahead, negative for behind. Burdens add up."""

    commit_delay_s: float = 0.0
    disk_is_full: bool = False
    clock_ahead_s: float = 0.0
