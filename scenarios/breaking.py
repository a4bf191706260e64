"""Faults in a run that somebody started with Locust: proxies before the target, a desk to break things at."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from chaos.control import ToxiproxyControl
from chaos.desk import FaultDesk
from chaos.errors import ChaosError
from chaos.levers import Levers, SwarmLever
from chaos.own_proxy import OwnToxiproxy
from chaos.plan import FaultSpec, parse_fault
from chaos.schedule import FaultRecord
from drivers.endpoints import parse_target
from drivers.pumps.resolve import resolved
from ledger.errors import LedgerError
from ledger.run_folder import Fault, RunFolder
from scenarios.options import Options, option

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BreakOptions(Options):
    """Options of the Locust files that a run plan says in its own words."""

    proxies: bool = option(
        False, "a fault proxy before each access point, so that faults of the path can be switched on"
    )
    faults: str = option(
        "",
        "faults by plan, separated by semicolons, counted from the moment when everybody is online: "
        "latency=300ms at 10s for 15s; cut=20% at 40s",
    )

    def specs(self) -> list[FaultSpec]:
        """What `faults` says. Raises FaultSyntaxError."""
        return parse_faults(self.faults)


def parse_faults(text: str) -> list[FaultSpec]:
    """Faults as `--fault` has them, one a line or separated by semicolons. Raises FaultSyntaxError."""
    return [parse_fault(line) for part in text.splitlines() for line in part.split(";") if line.strip()]


class Breakage:
    """Of one run. `desk` takes faults from now on; `urls` are where the swarm has to connect."""

    def __init__(
        self, options: BreakOptions, urls: Sequence[str], swarm: SwarmLever, folder: RunFolder, seed: int
    ) -> None:
        """Proxies listen if the options want them. Raises ChaosError or TargetError."""
        self._specs = options.specs()
        self._folder = folder
        self._own = OwnToxiproxy(seed) if options.proxies else None
        control = None
        self.urls = tuple(urls)
        if self._own is not None:
            control = ToxiproxyControl(self._own.url)
            try:
                self.urls = tuple(_moved(control, number, url) for number, url in enumerate(urls, 1))
            except BaseException:
                self._own.stop()
                raise
        self.desk = FaultDesk([], Levers(proxies=control, swarm=swarm), self._changed)
        self.desk.start(time.monotonic())

    def begin(self) -> None:
        """Everybody is online: the times of the plan count from now."""
        since, specs = time.monotonic(), self._specs
        self._specs = []
        for spec in specs:
            try:
                self.desk.add(spec, since)
            except ChaosError as error:
                log.error("fault %s: %s", spec.as_text(), error)  # noqa: TRY400

    def heal(self) -> None:
        """Nothing is broken, and nothing will be."""
        self._specs = []
        try:
            self.desk.heal_all()
        except ChaosError as error:
            log.error("not everything could be healed: %s", error)  # noqa: TRY400

    def close(self) -> None:
        """The proxies are gone, and with them whatever they still did."""
        if self._own is not None:
            self._own.stop()
            self._own = None

    def _changed(self, record: FaultRecord) -> None:
        if record.end_ns is None:
            if "error" in record.detail:
                log.error("fault %s: %s", record.detail["summary"], record.detail["error"])
            return
        fault = Fault(record.name, record.target, record.start_ns, record.end_ns, record.detail)
        try:
            self._folder.add_fault(fault)
        except LedgerError as error:
            log.error(str(error))  # noqa: TRY400


def _moved(control: ToxiproxyControl, number: int, url: str) -> str:
    endpoint = resolved(parse_target(url))
    upstream = f"{endpoint.host}:{endpoint.port}"
    listen = control.create_proxy(f"access-{number}", "127.0.0.1:0", upstream)
    host, _, port = listen.rpartition(":")
    return endpoint.moved(host, int(port)).url
