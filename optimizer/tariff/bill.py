"""What does a tariff charge for given power at the meter? Plain arithmetic, step by step, without the model."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from optimizer.tariff.schema import EnergyFee, PeakCharge, TariffEntry, When
from vpp.domain.horizon import Horizon
from vpp.domain.tariff import Billed, BilledPeriod, SoFar

SAME_KW = 1e-6
SAME_SHARE = 1e-7
"""Averages that differ by less than `SAME_KW` plus this share set a peak together."""
RATCHET_MONTHS = 11
Tiers = Sequence[tuple[float | None, float]]
"""Where each block ends (the last one does not), and its price."""


def bill(
    tariff: Iterable[TariffEntry], horizon: Horizon, export_kw: Sequence[float], so_far: Mapping[str, SoFar]
) -> tuple[Billed, ...]:
    """What every entry charges.

    Args:
        tariff: Entries of the tariff.
        horizon: Steps.
        export_kw: Power at the meter, one per step; negative where the site draws [kW].
        so_far: What entries had counted before, by their id; default: what they say themselves.

    """
    told = []
    for entry in tariff:
        flow = [max(0.0, -kw if entry.of == "import" else kw) for kw in export_kw]
        before = so_far.get(entry.id, said(entry))
        told.append(
            _fee(entry, horizon, flow, before) if entry.kind == "energy" else _peak(entry, horizon, flow, before)
        )
    return tuple(told)


def said(entry: TariffEntry) -> SoFar:
    """What an entry itself says of the running period."""
    return SoFar(energy_kwh=entry.so_far_kwh) if isinstance(entry, EnergyFee) else SoFar(peak_kw=entry.so_far_kw)


def period_of(at: datetime, length: str) -> str:
    """The local day, month or year of an instant, such as `2026-11`."""
    return at.strftime({"day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}[length])


def holds(when: When, at: datetime) -> bool:
    """Whether a window holds at a local instant."""
    return when.holds_in(at.month) and when.holds_on(at.weekday()) and when.holds_at(60 * at.hour + at.minute)


def _fee(entry: EnergyFee, horizon: Horizon, flow: Sequence[float], before: SoFar) -> Billed:
    energy: dict[str, float] = {}
    for at, hours, kw in zip(horizon.local_starts, horizon.step_hours, flow, strict=True):
        period = period_of(at, entry.period or "year")
        energy[period] = energy.get(period, 0.0) + (kw * hours if holds(entry.when, at) else 0.0)
    total_kwh = sum(energy.values())
    if entry.price_per_mwh is not None:
        cash = -entry.price_per_mwh * total_kwh / 1000 + 0.0
        return Billed(entry.id, entry.kind, entry.of, cash, total_kwh, ())
    tiers = [(tier.up_to_kwh, tier.price_per_mwh / 1000) for tier in entry.tiers]
    periods = []
    for number, (period, kwh) in enumerate(energy.items()):
        owed = 0.0 if number else before.energy_kwh
        periods.append(BilledPeriod(period, kwh, owed, owed + kwh, _cash(tiers, owed, owed + kwh)))
    return Billed(entry.id, entry.kind, entry.of, sum(p.cash for p in periods), total_kwh, tuple(periods))


def _peak(entry: PeakCharge, horizon: Horizon, flow: Sequence[float], before: SoFar) -> Billed:
    tiers: Tiers = [(tier.up_to_kw, tier.price_per_kw) for tier in entry.tiers] or [(None, entry.price_per_kw or 0.0)]
    reached: dict[str, dict[int, float]] = {period_of(at, entry.period): {} for at in horizon.local_starts}
    for steps, mean_kw in _averages(entry, horizon, flow, before):
        reached[period_of(horizon.local_starts[steps[0]], entry.period)] |= dict.fromkeys(steps, mean_kw)
    peaks = {period: max(means.values(), default=0.0) for period, means in reached.items()}
    first, share = next(iter(peaks)), entry.ratchet_fraction or 0.0
    periods = []
    for period, peak_kw in peaks.items():
        earlier = [before_it for before_it in peaks if share and 0 < _months(before_it, period) <= RATCHET_MONTHS]
        known_kw = max(entry.earlier_peak_kw or 0.0, before.peak_kw if first in earlier else 0.0)
        owed = max(before.peak_kw if period == first else 0.0, share * known_kw)
        billed = max(owed, peak_kw, *(share * peaks[month] for month in earlier))
        sets = [step for step, kw in reached[period].items() if kw >= max(peak_kw, billed) - _slack(billed) and kw > 0]
        cash, counted = _cash(tiers, owed, billed), tuple(sorted(reached[period]))
        periods.append(BilledPeriod(period, peak_kw, owed, billed, cash, tuple(sets), counted))
    held = (h if holds(entry.when, at) else 0.0 for at, h in zip(horizon.local_starts, horizon.step_hours, strict=True))
    energy_kwh = sum(kw * hours for kw, hours in zip(flow, held, strict=True))
    return Billed(entry.id, entry.kind, entry.of, sum(p.cash for p in periods), energy_kwh, tuple(periods))


def _averages(
    entry: PeakCharge, horizon: Horizon, flow: Sequence[float], before: SoFar
) -> Iterator[tuple[list[int], float]]:
    """Steps of each average while the charge holds, and the average [kW].

    Of an average that begins before the plan the energy so far counts where it was measured. Of what is not known, in
    front of the plan or behind it, the mean of the rest is taken.
    """
    length_s = 60 * max(entry.average_minutes, horizon.step_s // 60)
    blocks: dict[tuple[datetime, object], list[int]] = {}
    for step, at in enumerate(horizon.local_starts):
        into_s = (60 * at.minute + at.second) % length_s
        blocks.setdefault((at.replace(tzinfo=None) - timedelta(seconds=into_s), at.utcoffset()), []).append(step)
    for steps in blocks.values():
        at = horizon.local_starts[steps[0]]
        if not holds(entry.when, at):
            continue
        hours = sum(horizon.step_hours[step] for step in steps)
        energy_kwh = sum(flow[step] * horizon.step_hours[step] for step in steps)
        if steps[0] == 0 and before.block_kwh is not None:
            hours += (60 * at.minute + at.second) % length_s / 3600
            energy_kwh += before.block_kwh
        yield steps, energy_kwh / hours


def _months(earlier: str, later: str) -> int:
    """Months from one to another, of `2026-11` each."""
    return 12 * (int(later[:4]) - int(earlier[:4])) + int(later[5:7]) - int(earlier[5:7])


def _slack(peak_kw: float) -> float:
    return SAME_KW + SAME_SHARE * peak_kw


def _cash(tiers: Tiers, owed: float, billed: float) -> float:
    """What the rise from one quantity to another costs; never positive."""
    return _price_of(tiers, owed) - _price_of(tiers, billed) + 0.0


def _price_of(tiers: Tiers, quantity: float) -> float:
    total, start = 0.0, 0.0
    for end, price in tiers:
        within = quantity if end is None else min(quantity, end)
        total += price * max(0.0, within - start)
        start = start if end is None else end
    return total
