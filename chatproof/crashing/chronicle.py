"""The ledger of the loop: every row that a swarm would write, and the ledger's own checks over them."""

import time
from pathlib import Path

from locust.stats import RequestStats

from chatproof.crashing.people import People
from drivers import events
from drivers.client import Client
from drivers.events import Event
from ledger import schema
from ledger.checks import run_checks
from ledger.histograms import Histograms
from ledger.reader import Ledger
from ledger.result import Result
from ledger.run_folder import Fault, Phases, RunFolder
from ledger.writer import LedgerWriter
from protocol.messages import UnreadOf
from scenarios.letters import Stationery
from scenarios.recorder import Recorder
from scenarios.totals import Totals

JUDGED_BY = ("completeness", "durability", "ordering", "unread")


class Chronicle:
    """`observe` is told of every event of every client. Raises LedgerError where nothing can be written."""

    def __init__(self, path: Path, people: People, stationery: Stationery) -> None:
        self._people = people
        self._folder = RunFolder(path)
        self._folder.create()
        self._folder.write_tables(*people.tables())
        self._writer = LedgerWriter(self._folder.ledger, "crashes")
        self._recorder = Recorder(self._writer, Histograms(), Totals(RequestStats()), stationery)
        self._recorder.conversations.update(people.numbers)
        self._began_ns = time.monotonic_ns()

    @property
    def counts(self) -> dict[str, int]:
        """Messages of the clients so far, by what became of them: sent, acked, retransmitted and so on."""
        return dict(self._recorder.messages)

    def observe(self, client: Client, event: Event, now: float) -> None:
        """A client reports."""
        if isinstance(event, events.UnreadChanged):
            event = self._with_zeros(event)
        self._recorder.observe(client, event, now)

    def _with_zeros(self, event: events.UnreadChanged) -> events.UnreadChanged:
        # The ledger knows one settled end: there, what is left out was never counted.
        told = {count.conversation for count in event.counts}
        untold = (UnreadOf(name, 0) for name in self._people.conversations if name not in told)
        return events.UnreadChanged(event.total, (*event.counts, *untold))

    def sending(self, first: int, conversation: str, count: int) -> None:
        """A message is handed to a client, or a package of `count` that begins with it."""
        now_ns = time.monotonic_ns()
        self._recorder.sending(first, now_ns, self._people.numbers[conversation], count)

    def killed(self, target: str, began_ns: int, ended_ns: int) -> None:
        """Something was killed, and was back at `ended_ns`."""
        self._folder.add_fault(Fault("kill", target, began_ns, ended_ns))

    def settled(self, client: Client) -> None:
        """The version of a device stands still."""
        self._recorder.note(client, schema.Event.SETTLED, time.monotonic(), version=client.version)

    def judge(self) -> dict[str, Result]:
        """What the ledger's checks say of everything up to now."""
        self._writer.flush()
        now_ns = time.monotonic_ns()
        self._folder.save_phases(Phases(self._began_ns, self._began_ns, now_ns, now_ns))
        results = run_checks(Ledger.open(self._folder))
        return {name: results[name] for name in JUDGED_BY}

    def close(self) -> None:
        """Nothing is written any more."""
        self._writer.close()
