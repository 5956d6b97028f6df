"""What has a running site measured of what its tariff counts? Plain arithmetic on instants, average by average."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from optimizer.tariff.bill import holds, period_of
from optimizer.tariff.schema import EnergyFee, PeakCharge, TariffEntry
from vpp.domain.tariff import Counted, SoFar

MEASURED_SHARE = 0.9
"""An average of which a smaller share of the time was measured is not counted."""


def registers(tariff: Iterable[TariffEntry], timezone: str) -> "Iterator[Register]":
    """A register for every entry that counts something over a period: peaks, and energy in blocks."""
    for entry in tariff:
        if isinstance(entry, PeakCharge) or entry.tiers:
            yield Register(entry, ZoneInfo(timezone))


@dataclass(frozen=True)
class Register:
    """How one entry of a tariff is counted; what it has counted is kept by whoever asks."""

    entry: TariffEntry
    zone: ZoneInfo
    """Of the site, whose clock and calendar a tariff follows."""

    def begun(self, at: datetime, before: Counted | None) -> Counted:
        """What is counted at an instant at which the site file is read.

        What the file says belongs to the period in which it says it first; of later periods nothing is counted yet.

        Args:
            at: The instant, in UTC.
            before: What was counted so far; `None` where nobody counted.

        """
        entry = self.entry
        said = entry.so_far_kwh if isinstance(entry, EnergyFee) else entry.so_far_kw
        if before is None:
            return Counted(self._period_of(at), said, said, self.start_of_average(at))
        counted = self._turned(before, at)
        return counted if said == before.said else replace(counted, said=said, reached=max(counted.reached, said))

    def counted_on(self, counted: Counted, start: datetime, end: datetime, export_kw: float) -> Counted:
        """What is counted after a span in which a power was measured at the meter.

        Args:
            counted: What was counted before.
            start: First instant of the span, in UTC.
            end: First instant after it, in UTC.
            export_kw: Power in that span; negative where the site draws [kW].

        """
        flow_kw = max(0.0, -export_kw if self.entry.of == "import" else export_kw)
        while start < end:
            counted = self._turned(counted, start)
            until = min(end, counted.average_start + self._length)
            seconds = (until - start).total_seconds()
            kwh = flow_kw * seconds / 3600
            counts = isinstance(self.entry, EnergyFee) and self._holds_at(start)
            counted = replace(
                counted,
                reached=counted.reached + kwh if counts else counted.reached,
                average_kwh=counted.average_kwh + kwh,
                average_s=counted.average_s + seconds,
            )
            start = until
        return counted

    def so_far(self, counted: Counted, at: datetime, step_s: int) -> SoFar:
        """What a plan is told that begins at an instant and has steps of a length.

        Of an average that is running, its energy is told as if all of its time had been measured. Nothing is told where
        too little was, or where steps are longer than averages, so that the plan takes those of its steps.
        """
        counted = self._turned(counted, at)
        if isinstance(self.entry, EnergyFee):
            return SoFar(energy_kwh=counted.reached)
        since_s = (at - counted.average_start).total_seconds()
        is_known = counted.average_s > 0 and counted.average_s >= MEASURED_SHARE * since_s
        is_whole = timedelta(seconds=step_s) <= self._length
        block_kwh = counted.average_kwh * since_s / counted.average_s if is_known and is_whole else None
        return SoFar(peak_kw=counted.reached, block_kwh=block_kwh)

    def start_of_average(self, at: datetime) -> datetime:
        """When the average of an instant began, by the local clock."""
        local = at.astimezone(self.zone)
        into_hour = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return at - into_hour % self._length

    def _turned(self, counted: Counted, at: datetime) -> Counted:
        """With the average and the period of an instant; what is over is counted before it is left behind."""
        start = self.start_of_average(at)
        if start == counted.average_start:
            return counted
        period, reached = self._period_of(at), counted.reached
        if isinstance(self.entry, PeakCharge) and self._counts(counted):
            reached = max(reached, 3600 * counted.average_kwh / counted.average_s)
        return Counted(period, counted.said, reached if period == counted.period else 0.0, start)

    def _counts(self, counted: Counted) -> bool:
        """Whether an average that is over counts."""
        is_measured = counted.average_s >= MEASURED_SHARE * self._length.total_seconds()
        return is_measured and self._holds_at(counted.average_start)

    def _holds_at(self, at: datetime) -> bool:
        return holds(self.entry.when, at.astimezone(self.zone))

    def _period_of(self, at: datetime) -> str:
        assert self.entry.period is not None, "what counts has a period"
        return period_of(at.astimezone(self.zone), self.entry.period)

    @property
    def _length(self) -> timedelta:
        """Of an average; energy in blocks is counted minute by minute."""
        return timedelta(minutes=self.entry.average_minutes if isinstance(self.entry, PeakCharge) else 1)
