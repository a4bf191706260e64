"""A small file system of its own, seen only by who is started in it, and how it gets full."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Self

from chaos.errors import ChaosError, PacketsError
from chaos.packets.programs import program, run

_SIZE_BYTES = 4 << 30
"""More than a run writes; what is not used costs no memory."""
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TRIES = 20
# Its namespace lasts as long as somebody is in it: `cat`, until whoever made it ends, however that happens.
_MOUNT = 'mount -t tmpfs -o "size=$2,mode=700" chatproof "$1" && echo mounted && exec cat'


class Volume:
    """A tmpfs over `folder` in a mount namespace of its own; what was in the folder is in it as well.

    From its making until `close`, which puts what it holds into the folder. Raises ChaosError, also where the
    machine does not allow it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._nsenter = program("nsenter", "util-linux")
        unshare = program("unshare", "util-linux")
        self._holder = subprocess.Popen(
            [unshare, "--mount", "sh", "-c", _MOUNT, "sh", str(self._folder), str(_SIZE_BYTES)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._holder.stdout is not None
        assert self._holder.stderr is not None
        if not self._holder.stdout.readline():
            why = self._holder.stderr.read().decode("utf-8", "replace").strip().splitlines()
            self._end()
            raise ChaosError(f"a file system of its own: {why[-1] if why else 'unshare failed'}")
        self._inside = Path(f"/proc/{self._holder.pid}/root{self._folder}")
        shutil.copytree(self._folder, self._inside, dirs_exist_ok=True)

    def prefix(self) -> list[str]:
        """Words before those of a command, which then sees it; paths have to be absolute."""
        return [self._nsenter, f"--mount=/proc/{self._holder.pid}/ns/mnt", "--"]

    def fill(self) -> None:
        """Not a byte more than there is fits into it."""
        for _ in range(_TRIES):
            found = os.statvfs(self._inside)
            used = (found.f_blocks - found.f_bfree) * found.f_frsize
            try:
                self._resize(max(used, _PAGE_BYTES))
            except PacketsError:
                continue  # somebody has written since: it cannot be made smaller than what is in it
            return
        raise ChaosError("the file system grows too fast to be made full")

    def empty(self) -> None:
        """There is space again."""
        self._resize(_SIZE_BYTES)

    def close(self) -> None:
        """Nobody may write there any more. Twice is allowed."""
        if self._holder.returncode is None:
            shutil.copytree(self._inside, self._folder, dirs_exist_ok=True)
            self._end()

    def _resize(self, size_bytes: int) -> None:
        run([*self.prefix(), "mount", "-o", f"remount,size={size_bytes}", str(self._folder)])

    def _end(self) -> None:
        with self._holder as holder:
            holder.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
