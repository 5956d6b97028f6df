"""Every objective under a tariff equals an independent formulation, over tariffs that nobody would write."""

from dataclasses import replace
from datetime import date, timedelta

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from optimizer.tariff.schema import EnergyFee, EnergyTier, PeakCharge, PeakTier, When
from tests.optimizer.test_against_oracle import batteries, check, numbers, prices
from tests.sites import hours, load, problem, solar
from vpp.domain.horizon import Horizon
from vpp.domain.tariff import SoFar


@st.composite
def windows(draw):
    first = draw(st.integers(0, 23))
    after = draw(st.integers(1, 24).filter(lambda hour: hour != first))
    return When(
        months=draw(st.sampled_from([[1, 12], [11, 2], [1, 6], [12, 12]])),
        weekdays=draw(st.sampled_from(["all", "weekdays", "weekends", ["mon", "sun"]])),
        hours=draw(st.sampled_from(["00:00-24:00", f"{first:02}:00-{after:02}:00"])),
    )


def tiers(draw, kind, end, price):
    """Two or three blocks, of prices that rise, fall, or both."""
    ends = sorted(draw(st.sets(st.integers(1, 60), min_size=1, max_size=2)))
    prices = [draw(numbers(0, 40)) for _ in range(len(ends) + 1)]
    return [kind(**{end: e, price: p}) for e, p in zip([*map(float, ends), None], prices, strict=True)]


@st.composite
def fees(draw, name):
    is_tiered = draw(st.booleans())
    return EnergyFee(
        id=name,
        kind="energy",
        of=draw(st.sampled_from(["import", "import", "export"])),
        when=draw(st.one_of(st.just(When(months=[1, 12])), windows())),
        price_per_mwh=None if is_tiered else draw(numbers(0, 90)),
        tiers=tiers(draw, EnergyTier, "up_to_kwh", "price_per_mwh") if is_tiered else [],
        period=draw(st.sampled_from(["day", "month", "year"])) if is_tiered else None,
        so_far_kwh=draw(numbers(0, 40)) if is_tiered else 0.0,
    )


@st.composite
def peaks(draw, name):
    is_tiered, period = draw(st.booleans()), draw(st.sampled_from(["day", "month", "year"]))
    share = draw(st.sampled_from([None, 0.5, 0.8])) if period == "month" else None
    return PeakCharge(
        id=name,
        kind="peak",
        of=draw(st.sampled_from(["import", "import", "export"])),
        when=draw(st.one_of(st.just(When(months=[1, 12])), windows())),
        period=period,
        average_minutes=draw(st.sampled_from([15, 30, 60])),
        price_per_kw=None if is_tiered else draw(numbers(0, 5)),
        tiers=tiers(draw, PeakTier, "up_to_kw", "price_per_kw") if is_tiered else [],
        so_far_kw=draw(st.sampled_from([0.0, 0.0, 12.5, 60.0])),
        ratchet_fraction=share,
        earlier_peak_kw=draw(st.sampled_from([None, 50.0])) if share else None,
    )


@st.composite
def sites(draw):
    """A site with a load that its connection can always carry."""
    count, step_minutes = draw(st.integers(1, 14)), draw(st.sampled_from([15, 15, 60]))
    assets = [draw(batteries(f"bess{k}")) for k in range(draw(st.integers(1, 2)))] + [load()]
    series = {"load1": draw(st.lists(numbers(0, 90, 1), min_size=count, max_size=count))}
    if draw(st.booleans()):
        assets.append(solar())
        series["pv1"] = draw(st.lists(numbers(0, 150, 1), min_size=count, max_size=count))
    buy = draw(prices(count))
    spread = draw(st.one_of(st.none(), st.lists(numbers(-30, 90), min_size=count, max_size=count)))
    return problem(
        assets,
        buy,
        export_prices=None if spread is None else [b - s for b, s in zip(buy, spread, strict=True)],
        series=series,
        import_limit_kw=draw(numbers(200, 400, 1)),
        export_limit_kw=draw(numbers(0, 400, 1)),
        horizon=hours(count, step_minutes, date(2026, 11, 23), "Asia/Kolkata"),
    )


@st.composite
def taxed(draw):
    """A site under one to three entries, at the turn of a month, perhaps in the middle of a step and of an average."""
    found = draw(sites())
    entries = [draw(draw(st.sampled_from([fees, peaks]))(f"entry{k}")) for k in range(draw(st.integers(1, 3)))]
    h = found.horizon
    before_midnight = timedelta(seconds=h.step_s * draw(st.integers(0, h.count)))
    start = Horizon.of_local_days(*[h.local_starts[0].date().replace(month=12, day=1)] * 2, h.timezone, 900).start
    first_s = draw(st.sampled_from([h.step_s, h.step_s, h.step_s // 3]))
    late = timedelta(seconds=h.step_s - first_s)
    horizon = Horizon(start - before_midnight + late, h.step_s, h.count, h.timezone, first_s)
    so_far = {}
    for entry in entries:
        if entry.kind == "peak" and draw(st.booleans()):
            so_far[entry.id] = SoFar(peak_kw=draw(numbers(0, 80)), block_kwh=draw(st.sampled_from([None, 0.0, 3.0])))
    return replace(found, horizon=horizon, tariff=tuple(entries), so_far=so_far)


@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(taxed())
def test_a_plan_under_a_tariff_earns_what_an_independent_formulation_finds(given_problem):
    check(given_problem)
