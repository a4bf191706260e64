"""full_disk: commits of the server find no space; what is sent meanwhile is refused."""

from chaos.burden import Burden
from chaos.fault import fault, unneeded
from chaos.server_fault import BurdenFault


@fault
class FullDisk(BurdenFault):
    """On a small file system of the server's own where the machine allows one, whose size is then what is in
    it (layer "tmpfs"); else the store is told that its disk is full (layer "store", and why)."""

    name = "full_disk"
    example = "full_disk at 10s for 5s"
    color = "#5c1f1c"

    @classmethod
    def parse(cls, value: str | None, stream: str | None = None) -> "FullDisk":
        unneeded(cls, value, stream)
        return cls(None, Burden(disk_is_full=True))
