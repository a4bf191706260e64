"""What a run folder says of a run beside its ledger: the plan, its surroundings, its faults."""

import shlex
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from chaos.packets.network import Network
from chaos.plan import FaultSpec
from chaos.schedule import FaultRecord
from chatproof.errors import CannotRun
from chatproof.plan import Plan, as_toml
from chatproof.target import Running
from ledger.errors import LedgerError
from ledger.run_folder import Fault, RunFolder
from scenarios.capabilities import promises
from scenarios.machine import describe
from scenarios.machines import Machines


class Notes:
    """`plan.toml`, `environment.json` and `faults.jsonl` of a folder, kept up to date while a run goes on."""

    def __init__(self, plan: Plan, folder: RunFolder, command: str) -> None:
        """`command`: the command line that repeats the run."""
        self._plan = plan
        self._folder = folder
        self._command = command
        self._around: dict[str, Any] = {}

    def open(self) -> None:
        """The folder is there, with the plan. Raises CannotRun."""
        try:
            self._folder.create()
            self._folder.plan.write_text(as_toml(self._plan))
        except (LedgerError, OSError) as error:
            raise CannotRun(f"{error}; choose another folder with --out") from error

    def surroundings(self, target: Running, network: Network | None) -> None:
        """Where the run takes place, and against what. Raises LedgerError."""
        self._note(
            target=self._plan.target.start or self._plan.target.url,
            endpoints=[endpoint.url for endpoint in target.endpoints],
            **promises(target.endpoints[0].url),
            server=self._plan.target.start or None,
            scenario=self._plan.scenario,
            plan=self._plan.name,
            seed=self._plan.seed,
            heartbeat_s=self._plan.options().heartbeat,
            command=self._command,
            started=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            machine=describe(),
            network=None if network is None else network.describe(),
        )

    def machines(self, machines: Machines) -> None:
        """Who takes part, and what is known of their clocks by now. Raises LedgerError."""
        self._note(machines=msgspec.to_builtins(machines.described()))

    def network(self, network: Network) -> dict[str, Any]:
        """What the network has to tell at the end; returns it. Raises PacketsError, LedgerError."""
        told = network.describe()
        self._note(network=told)
        return told

    def fault(self, record: FaultRecord) -> None:
        """A fault is noted once it is over. Raises LedgerError."""
        if record.end_ns is not None:
            self._folder.add_fault(
                Fault(record.name, record.target, record.start_ns, record.end_ns, record.detail)
            )

    def added(self, faults: Sequence[FaultSpec]) -> None:
        """What people have added is in the plan and the command that repeat the run. Raises CannotRun."""
        if not faults:
            return
        self._plan.fault += [spec.as_mapping() for spec in faults]
        words = [word for spec in faults for word in ("--fault", spec.as_text())]
        try:
            self._folder.plan.write_text(as_toml(self._plan))
            self._note(command=shlex.join([*shlex.split(self._command), *words]))
        except (LedgerError, OSError) as error:
            raise CannotRun(str(error)) from error

    def _note(self, **more: Any) -> None:
        self._around |= more
        self._folder.save_environment(self._around)
