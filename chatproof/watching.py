"""Others who watch a run: Prometheus at a port of its own, a collector of OpenTelemetry."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from chatproof.errors import CannotRun, WrongUse
from metrics.metric import Family
from metrics.otlp import OtlpError, OtlpExport
from metrics.serving import PATH, MetricsServer

_HERE = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Watchers:
    """`host` and `port`: where metrics are, None for nowhere; `otlp`: the URL of a collector, or ""."""

    host: str = _HERE
    port: int | None = None
    otlp: str = ""

    @classmethod
    def parse(cls, port: str | None, otlp: str) -> "Watchers":
        """`port`: PORT or HOST:PORT as the command line has it. Raises WrongUse."""
        if port is None:
            return cls(otlp=otlp)
        host, _, number = port.rpartition(":")
        if not number.isdigit() or not 0 <= int(number) < 1 << 16:
            raise WrongUse(f"--metrics-port {port!r}: write PORT, or HOST:PORT for other machines to read it")
        return cls(host.strip("[]") or _HERE, int(number), otlp)

    @contextmanager
    def watching(
        self, collect: Callable[[], Iterable[Family]], service: str, say: Callable[[str], None]
    ) -> Iterator[None]:
        """What `collect()` returns can be had for the length of the block. Raises WrongUse, CannotRun."""
        export, server = None, None
        try:
            if self.otlp:
                export = OtlpExport(self.otlp, collect, {"service.name": service})
            if self.port is not None:
                server = MetricsServer(self.host, self.port, collect)
                server.start()
                say(f"metrics http://{self.host}:{server.port}{PATH}")
        except OtlpError as error:
            raise (CannotRun if error.missing else WrongUse)(str(error)) from error
        except OSError as error:
            raise CannotRun(
                f"--metrics-port {self.port}: {error.strerror or error}; choose another"
            ) from error
        try:
            if export is not None:
                export.start()
            yield
        finally:
            if export is not None:
                export.stop()
            if server is not None:
                server.stop()
