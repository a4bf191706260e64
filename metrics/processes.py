"""What processes cost, read when somebody asks."""

from collections.abc import Mapping

import psutil

from metrics.metric import Family, Metric, Point


def costs(pids: Mapping[str, int], cpu: Metric, memory: Metric, files: Metric) -> list[Family]:
    """By name of the process; one that ended meanwhile is left out."""
    found: dict[str, tuple[float, int, int]] = {}
    for name, pid in pids.items():
        try:
            process = psutil.Process(pid)
            with process.oneshot():
                spent = process.cpu_times()
                found[name] = (spent.user + spent.system, process.memory_info().rss, process.num_fds())
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return [
        metric.of(*(Point((name,), of_process[place]) for name, of_process in found.items()))
        for place, metric in enumerate((cpu, memory, files))
    ]
