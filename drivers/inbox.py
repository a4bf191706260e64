"""In what order a client shows its inbox: by version, without holes, each once (rules 4 and 5, ROM.2, ROM.4);
or, where the protocol has no versions, as it comes, each once.

What comes ahead of its turn is held back while a pull asks for what is missing. What several pulls do not
bring is skipped, so that a server's loss stays visible as a loss and does not silence the device for ever.
"""

from drivers import events
from drivers.contract import Page, Received
from drivers.gap import Gap, Skipped
from drivers.recent import Recent
from drivers.state import Remembered, State
from protocol.messages import Entry


class Inbox(Remembered):
    __slots__ = ()

    @property
    def has_gap(self) -> bool:
        """True while the inbox is known to have more than was shown."""
        return self._gap is not None

    def _accept(self, entry: Entry, via: str, attempt: int, now: float) -> bool:
        """Show the entry, or hold it back; True when it is one that was behind already."""
        version = entry.version
        if version == self.version + 1:
            self.version = version
            self._emit(events.Delivered(entry, via, attempt), now)
            if self._gap is not None:
                self._drain(self._gap, now)
            return False
        if version <= self.version:
            was_given_up = isinstance(self._past, Skipped) and self._past.take(version)
            kind = events.Delivered if was_given_up else events.Repeated
            self._emit(kind(entry, via, attempt), now)
            return True
        gap = self._open_gap(version)
        if version in gap.held:
            self._emit(events.Repeated(entry, via, attempt), now)
        else:
            gap.held[version] = (entry, via, attempt)
        return False

    def _show_once(self, event: Received, via: str, now: float) -> None:
        kind = events.Repeated if self._recent().is_repeat(event.key) else events.Delivered
        self._emit(kind(event.entry, via, event.attempt), now)

    def _recent(self) -> Recent:
        past = self._past
        if not isinstance(past, Recent):
            past = self._past = Recent()
        return past

    def _behind(self, newest: int) -> None:
        """The server has entries up to `newest`."""
        if newest > self.version:
            self._open_gap(newest)

    def _open_gap(self, newest: int) -> Gap:
        gap = self._gap
        if gap is None:
            gap = self._gap = Gap(newest)
        elif newest > gap.newest:
            gap.newest = newest
        return gap

    def _page(self, page: Page, now: float) -> None:
        before = self.version
        for entry in page.entries:
            self._accept(entry, "pull", 1, now)
        self._behind(page.newest)
        gap = self._gap
        if gap is None:
            return
        if self.version > before:
            gap.pulls = gap.barren = 0
        # The late answer to an earlier pull says nothing about what is missing now.
        elif not any(entry.version <= before for entry in page.entries):
            gap.barren += 1
            patience = self._shared.policy.pulls_before_skipping
            if gap.barren >= patience and gap.pulls >= patience:
                self._skip(gap, now)

    def _skip(self, gap: Gap, now: float) -> None:
        after = self.version
        self.version = min(gap.held, default=gap.newest + 1) - 1
        if not isinstance(self._past, Skipped):
            self._past = Skipped()
        self._past.add(after, self.version)
        gap.pulls = gap.barren = 0
        self._emit(events.GapSkipped(after, self.version), now)
        self._drain(gap, now)

    def _drain(self, gap: Gap, now: float) -> None:
        while (held := gap.held.pop(self.version + 1, None)) is not None:
            self.version += 1
            self._emit(events.Delivered(*held), now)
        if not gap.held and gap.newest <= self.version:
            self._gap = None

    def _pull_new_gap(self, now: float) -> None:
        """Ask for a hole that has just been seen, or for the next page of one.

        Called once all of what was read together has been looked at: what was reordered on its way closes
        its hole by itself.
        """
        gap = self._gap
        if gap is not None and gap.pulls == 0:
            self._pull(gap, now)

    def _pull(self, gap: Gap, now: float) -> None:
        session = self._session
        if session is None or self.state is not State.ONLINE:
            return
        gap.pulls += 1
        gap.due = now + self._shared.policy.retransmit_s(gap.pulls)
        self._soon(gap.due)
        session.pull(self.version, self._shared.policy.pull_limit)
        if not gap.announced:
            gap.announced = True
            self._emit(events.GapFound(self.version, gap.newest), now)
