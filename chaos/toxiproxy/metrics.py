"""/metrics: what went through each proxy, and what this process costs, in Prometheus' text format."""

from collections.abc import Iterable

import psutil

from chaos.toxiproxy.collection import Collection
from chaos.toxiproxy.proxy import Proxy


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _labels(**labels: str) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())


def _family(name: str, kind: str, text: str, samples: Iterable[tuple[str, float]]) -> Iterable[str]:
    rows = [f"{name}{{{labels}}} {value}" if labels else f"{name} {value}" for labels, value in samples]
    if rows:
        yield f"# HELP {name} {text}"
        yield f"# TYPE {name} {kind}"
        yield from rows


def _bytes(proxy: Proxy, received: bool) -> Iterable[tuple[str, float]]:
    counted = proxy.received_bytes if received else proxy.sent_bytes
    for direction, count in sorted(counted.items()):
        labels = _labels(
            direction=direction, listener=proxy.listen, proxy=proxy.name, upstream=proxy.upstream
        )
        yield labels, count


def _frames(proxy: Proxy) -> Iterable[tuple[str, float]]:
    for toxic in proxy.ordered_toxics():
        for what, count in sorted(toxic.counts.items()):
            yield _labels(direction=toxic.direction, proxy=proxy.name, toxic=toxic.name, what=what), count


def proxy_metrics(collection: Collection) -> str:
    """Bytes are added when a link ends, sent ones only if its write side did not fail."""
    lines: list[str] = []
    for word in ("received", "sent"):
        samples = [each for proxy in collection for each in _bytes(proxy, word == "received")]
        name = f"toxiproxy_proxy_{word}_bytes_total"
        lines += _family(name, "counter", f"Total bytes {word} by links that have ended.", samples)
    counts = [each for proxy in collection for each in _frames(proxy)]
    lines += _family("toxiproxy_toxic_counts_total", "counter", "What toxics counted.", counts)
    return "".join(f"{line}\n" for line in lines)


def runtime_metrics() -> str:
    """Of this process."""
    process = psutil.Process()
    with process.oneshot():
        cpu = process.cpu_times()
        families = (
            ("process_cpu_seconds_total", "counter", "User and system CPU time.", cpu.user + cpu.system),
            ("process_resident_memory_bytes", "gauge", "Resident memory.", process.memory_info().rss),
            ("process_virtual_memory_bytes", "gauge", "Virtual memory.", process.memory_info().vms),
            ("process_open_fds", "gauge", "Open file descriptors.", process.num_fds()),
            ("process_max_fds", "gauge", "Most file descriptors.", process.rlimit(psutil.RLIMIT_NOFILE)[0]),
            ("process_start_time_seconds", "gauge", "Start since the epoch.", process.create_time()),
        )
    lines = [
        line for name, kind, text, value in families for line in _family(name, kind, text, [("", value)])
    ]
    return "".join(f"{line}\n" for line in lines)
