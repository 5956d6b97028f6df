"""When is a new plan due, and from what state?"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from vpp.dispatch.dispatcher import Dispatcher
from vpp.dispatch.feeds import FeedShelf
from vpp.dispatch.ledger import Ledger
from vpp.dispatch.meter import Meter
from vpp.domain.unit import Kind
from vpp.planning import PlanRequest, Stored

FILES_EVERY_S = 10.0
"""So often files are looked at for changes."""
DEVIATION_EVERY_S = 60.0
"""A deviation calls for no more than one plan in this time."""
RETRY_S = 60.0
"""After a failure planning is tried again this soon."""
LONGEST_WAIT_S = 10.0
"""So long the first plan waits for every store to be heard."""


class Replanning:
    """Decides when to plan.

    Args:
        dispatcher: What is known of the site.
        ledger: What was discharged today.
        meter: What the tariff has counted.
        shelf: Series that came in by topic.
        every_s: Time from one plan to the next.
        files: Files that plans rest on.

    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        ledger: Ledger,
        meter: Meter,
        shelf: FeedShelf,
        *,
        every_s: float,
        files: Iterable[Path],
    ) -> None:
        self._dispatcher, self._ledger, self._meter = dispatcher, ledger, meter
        self._shelf, self._every_s = shelf, every_s
        self._files = tuple(files)
        self._changed_ns = self._stand_of_files()
        self._asked_s: float | None = None
        self._began_s: float | None = None
        self._looked_s = 0.0
        self._reasons: list[str] = []

    def ask(self, reason: str) -> None:
        """Have a plan made as soon as possible."""
        self._reasons.append(reason)

    def due(self, now: datetime, mono_s: float) -> PlanRequest | None:
        """A request, if a plan is due; it counts as made from now on."""
        if self._began_s is None:
            self._began_s = mono_s
        if not self._reason(now, mono_s):
            return None
        self._asked_s, self._reasons = mono_s, []
        return PlanRequest(now, self._stores(), self._shelf.feeds(), self._unheard(), self._meter.so_far(now))

    def _reason(self, now: datetime, mono_s: float) -> str | None:
        began_s = mono_s if self._began_s is None else self._began_s
        if self._asked_s is None:
            return "first plan" if not self._unheard() or mono_s - began_s >= LONGEST_WAIT_S else None
        since_s = mono_s - self._asked_s
        if mono_s - self._looked_s >= FILES_EVERY_S:
            self._looked_s, stand = mono_s, self._stand_of_files()
            if stand != self._changed_ns:
                self._changed_ns = stand
                self.ask("a file changed")
        if self._reasons:
            return self._reasons[0]
        if since_s >= (self._every_s if self._dispatcher.planner_failure is None else min(RETRY_S, self._every_s)):
            return "time"
        return self._dispatcher.deviation(now) if since_s >= DEVIATION_EVERY_S else None

    def _stores(self) -> Mapping[str, Stored]:
        """The last word of every store, however old."""
        tick = self._dispatcher.latest
        stores = {}
        for unit in self._dispatcher.settings.units:
            reading = None if tick is None else tick.snapshot.readings[unit.id]
            told = None if reading is None else reading.telemetry
            if unit.kind is Kind.STORAGE and told is not None and told.stored_kwh is not None:
                capacity_kwh = told.stored_kwh if unit.energy_capacity_kwh is None else unit.energy_capacity_kwh
                within_kwh = min(max(0.0, told.stored_kwh), capacity_kwh)
                export_kw = None if reading is None or reading.fresh is None else reading.fresh.export_kw
                ledger = self._ledger
                stores[unit.id] = Stored(
                    within_kwh, ledger.discharged_today_kwh[unit.id], export_kw, ledger.stored_before_kwh[unit.id]
                )
        return stores

    def _unheard(self) -> tuple[str, ...]:
        """Stores that cannot be counted on now."""
        tick = self._dispatcher.latest
        stores = [unit.id for unit in self._dispatcher.settings.units if unit.kind is Kind.STORAGE]
        return tuple(n for n in stores if tick is None or tick.snapshot.readings[n].fresh is None)

    def _stand_of_files(self) -> tuple[int, ...]:
        return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in self._files)
