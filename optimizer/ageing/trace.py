"""What did a measured state of charge take of a store's life, and what becomes of it if it is used like this?"""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from statistics import median

from optimizer.ageing.cycles import Cycle, cycles_of, full_cycles, life_used_fraction
from optimizer.ageing.power_law import DAYS_PER_YEAR, Use
from optimizer.ageing.schema import Ageing, CalendarModel
from optimizer.asset import Asset
from vpp.domain.trace import DepthClass, Forecast, Gap, Rest, Trace, TraceWear

GAP_S = 300.0
"""A longer time without a value is a gap, unless values are usually further apart."""
MUCH_LONGER = 1.5
"""A gap is longer than the usual time between values by this factor."""
CLASSES = 10
"""Number of depth classes."""
FORECAST_YEARS = 10.0
LONGEST_YEARS = 100.0
SOC_CLASSES = 1000
"""So finely the law of resting is looked up."""


def trace_wear(asset: Asset, ageing: Ageing, trace: Trace) -> TraceWear:
    """Count a trace's cycles and gaps, and what its rest took."""
    capacity_kwh = float(getattr(asset, "energy_capacity_kwh"))  # noqa: B009 - what has ageing is a store
    cycles = cycles_of(trace.soc_fraction)
    through = full_cycles(cycles)
    usual_s = median((later - at).total_seconds() for at, later in pairwise(trace.at))
    gaps = tuple(_gaps(trace, usual_s))
    deepest = _deepest(asset, trace.soc_fraction)
    missed = life_used_fraction(ageing, [Cycle(deepest, 0.5)] * len(gaps))
    used = life_used_fraction(ageing, cycles) + missed
    store_cost, model = ageing.replacement_cost_per_kwh * capacity_kwh, ageing.calendar_model
    mean_rate = None if model is None else _mean_rate(model, trace)
    return TraceWear(
        asset_id=asset.id,
        start=trace.at[0],
        end=trace.at[-1],
        value_count=len(trace.at),
        usual_s=usual_s,
        gaps=gaps,
        gap_depth_fraction=deepest,
        gap_life_used_fraction=missed,
        full_cycle_count=through,
        discharged_mwh=through * capacity_kwh * getattr(asset, "discharge_efficiency", 1.0) / 1000,
        depths=tuple(_by_depth(ageing, cycles)),
        life_used_fraction=used,
        cost=used * store_cost,
        rest=None if model is None or mean_rate is None else _rest(model, mean_rate, _days(trace), store_cost),
        forecast=None if model is None or mean_rate is None else _forecast(model, mean_rate, cycles, trace),
    )


def _gaps(trace: Trace, usual_s: float) -> Iterator[Gap]:
    longest_s = max(GAP_S, MUCH_LONGER * usual_s)
    for at, later in pairwise(trace.at):
        if later - at > timedelta(seconds=longest_s):
            yield Gap(at, (later - at).total_seconds())


def _deepest(asset: Asset, soc_fraction: Sequence[float]) -> float:
    """Depth of the deepest cycle that a store can make: its window, or more where more was measured."""
    low = min(getattr(asset, "min_soc_fraction", 0.0), *soc_fraction)
    high = max(getattr(asset, "max_soc_fraction", 1.0), *soc_fraction)
    return float(high - low)


def _by_depth(ageing: Ageing, cycles: Sequence[Cycle]) -> Iterator[DepthClass]:
    for k in range(CLASSES):
        low, high = k / CLASSES, (k + 1) / CLASSES
        own = [cycle for cycle in cycles if low < cycle.depth_fraction - 1e-9 <= high]
        yield DepthClass(low, high, sum((c.count for c in own), start=0.0), life_used_fraction(ageing, own))


def _days(trace: Trace) -> float:
    return (trace.at[-1] - trace.at[0]) / timedelta(days=1)


def _mean_rate(model: CalendarModel, trace: Trace) -> float:
    """The coefficient of resting, averaged over time."""
    rates = [model.law.calendar_rate(k / SOC_CLASSES, model.temperature_c) for k in range(SOC_CLASSES + 1)]
    at_value = [rates[round(soc * SOC_CLASSES)] for soc in trace.soc_fraction]
    spans = zip(pairwise(trace.at), pairwise(at_value), strict=True)
    return sum((later - at) / timedelta(days=1) * (a + b) / 2 for (at, later), (a, b) in spans) / _days(trace)


def _rest(model: CalendarModel, mean_rate: float, days: float, store_cost: float) -> Rest:
    """What resting took of a store that has its age at the end of the trace."""
    age_days = max(model.age_days, days)
    lost = model.law.calendar_loss_fraction(mean_rate, age_days)
    lost -= model.law.calendar_loss_fraction(mean_rate, age_days - days)
    used = lost / model.loss_allowed_fraction
    return Rest(model.law.name, model.temperature_c, age_days / DAYS_PER_YEAR, lost, used, used * store_cost)


def _forecast(model: CalendarModel, mean_rate: float, cycles: Sequence[Cycle], trace: Trace) -> Forecast | None:
    """The losses of a cell that is used like this from new."""
    through = full_cycles(cycles)
    if through <= 0:
        return None
    depth = sum(cycle.count * cycle.depth_fraction**2 for cycle in cycles) / through
    use = Use(model.temperature_c, depth, _moving_rate(trace, 1), _moving_rate(trace, -1))
    per_year = through / _days(trace) * DAYS_PER_YEAR

    def losses(years: float) -> tuple[float, float]:
        resting = model.law.calendar_loss_fraction(mean_rate, years * DAYS_PER_YEAR)
        return resting, model.law.cycle_loss_fraction(per_year * years, use)

    resting, cycling = losses(FORECAST_YEARS)
    ends = _when(lambda years: sum(losses(years)) >= model.loss_allowed_fraction)
    beyond = tuple(model.law.beyond_tests(use))
    return Forecast(FORECAST_YEARS, resting, cycling, model.end_of_life_soh_fraction, ends, beyond)


def _when(is_over: Callable[[float], bool]) -> float | None:
    """The first year from which on something holds, to a thousandth; nothing within `LONGEST_YEARS`."""
    before, after = 0.0, LONGEST_YEARS
    if not is_over(after):
        return None
    while after - before > 1e-3:  # noqa: PLR2004 - a third of a day
        middle = (before + after) / 2
        before, after = (before, middle) if is_over(middle) else (middle, after)
    return after


def _moving_rate(trace: Trace, sign: int) -> float:
    """Mean rate at which the state of charge rises (sign 1) or falls (sign −1) while it does [1/h]."""
    moved = hours = 0.0
    for (at, later), (a, b) in zip(pairwise(trace.at), pairwise(trace.soc_fraction), strict=True):
        if sign * (b - a) > 0:
            moved += abs(b - a)
            hours += (later - at) / timedelta(hours=1)
    return moved / hours if hours else 0.0
