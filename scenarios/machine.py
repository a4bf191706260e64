"""What a run was made on, so that a figure can be judged and a run repeated."""

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_PACKAGES = ("chatproof", "gevent", "locust", "msgspec", "polars", "pyarrow")


def own_memory() -> tuple[int, int]:
    """Bytes of this process in memory, and those of them that are of no file."""
    pages = Path("/proc/self/statm").read_bytes().split()
    resident, shared = int(pages[1]) * _PAGE_BYTES, int(pages[2]) * _PAGE_BYTES
    return resident, resident - shared


def open_descriptors(pid: int) -> int:
    """How many a process has, without listing them where the kernel can tell (Linux 6.2). Raises OSError."""
    folder = f"/proc/{pid}/fd"
    return os.stat(folder).st_size or len(os.listdir(folder))


def describe() -> dict[str, Any]:
    """Cores, memory, kernel, Python and the versions of what matters to the figures."""
    return {
        "cores": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "kernel": platform.release(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
    }
