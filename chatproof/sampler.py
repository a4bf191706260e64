"""What servers, proxies and the machine itself do while a run goes on: one line a second each."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
import psutil

from ledger.errors import LedgerError
from ledger.samples import SampleWriter
from scenarios.machine import open_descriptors

_SOCKET_SLABS = ("TCP", "TCPv6", "sock_inode_cache", "filp", "dentry", "eventpoll_epi", "eventpoll_pwq")


class Sampler:
    """Samples processes until `stop`; one that ends meanwhile is no longer sampled, a new one is."""

    def __init__(
        self,
        folder: Path,
        pids: Callable[[], dict[int, str]],
        on_error: Callable[[LedgerError], None],
        machine: str = "machine",
    ) -> None:
        """`pids()`: role ("server", "proxy") by process id. `on_error` hears of what cannot be written.
        `machine`: the name of this machine's own samples.

        Raises LedgerError if files cannot be made.
        """
        self._on_error = on_error
        self._folder = folder
        self._pids = pids
        self._watched: dict[int, tuple[psutil.Process, str, SampleWriter]] = {}
        self._look()
        self._machine = SampleWriter(folder, machine)
        self._sample()
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        """One last sample; files are closed."""
        self._greenlet.kill()
        self._sample()
        for _, _, writer in self._watched.values():
            writer.close()
        self._machine.close()

    def _run(self) -> None:
        while True:
            gevent.sleep(1.0)
            try:
                self._look()
            except LedgerError as error:
                self._on_error(error)
            self._sample()

    def _look(self) -> None:
        for pid, role in self._pids().items():
            if pid in self._watched:
                continue
            try:
                process = psutil.Process(pid)
            except psutil.NoSuchProcess:
                continue
            self._watched[pid] = (process, role, SampleWriter(self._folder, f"{role}-{pid}"))

    def _sample(self) -> None:
        self._sample_machine()
        for process, role, writer in list(self._watched.values()):
            try:
                cpu, memory, files = process.cpu_times(), process.memory_info(), open_descriptors(process.pid)
            except (psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError):
                continue
            sample = {
                "at_ns": time.monotonic_ns(),
                "role": role,
                "pid": process.pid,
                "rss_bytes": memory.rss,
                "anon_bytes": memory.rss - memory.shared,
                "cpu_s": cpu.user + cpu.system,
                "fds": files,
            }
            self._write(writer, sample)

    def _sample_machine(self) -> None:
        memory = psutil.virtual_memory()
        sample = {
            "at_ns": time.monotonic_ns(),
            "role": "machine",
            "used_bytes": memory.total - memory.available,
            "available_bytes": memory.available,
        }
        kernel_bytes = socket_slab_bytes()
        if kernel_bytes is not None:
            sample["kernel_bytes"] = kernel_bytes
        self._write(self._machine, sample)

    def _write(self, writer: SampleWriter, sample: dict[str, Any]) -> None:
        try:
            writer.write(sample)
        except LedgerError as error:
            self._on_error(error)


def socket_slab_bytes() -> int | None:
    """Kernel memory in the caches that connections live in, of the whole machine; None when not readable."""
    try:
        lines = Path("/proc/slabinfo").read_text().splitlines()
    except OSError:
        return None
    total = 0
    for line in lines[2:]:
        name, _, objects, size, *_ = line.split()
        if name in _SOCKET_SLABS:
            total += int(objects) * int(size)
    return total
