"""Fees on energy and charges on peaks, with numbers that can be checked by hand."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from optimizer.planner import plan
from optimizer.rolling import Rolling
from optimizer.tariff.bill import bill
from optimizer.tariff.schema import EnergyFee, EnergyTier, PeakCharge, PeakTier, When
from tests.sites import CREATED, battery, hours, load, problem, solar
from vpp.domain.horizon import Horizon
from vpp.domain.tariff import SoFar


def fee(name="fee", of="import", price=100.0, **fields):
    given = {} if "tiers" in fields else {"price_per_mwh": price}
    return EnergyFee(id=name, kind="energy", of=of, **given | fields)


def peak(name="demand", of="import", price=7.0, **fields):
    given = {"period": "month", "average_minutes": 60} | ({} if "tiers" in fields else {"price_per_kw": price})
    return PeakCharge(id=name, kind="peak", of=of, **given | fields)


def consumer(load_kw, *tariff, prices=None, so_far=None, horizon=None, step_minutes=60, assets=(), **series):
    """A load under a tariff, with nothing to decide unless assets are given."""
    found = problem(
        [load(), *assets],
        [0.0] * len(load_kw) if prices is None else prices,
        series={"load1": load_kw} | series,
        horizon=horizon,
        step_minutes=step_minutes,
    )
    return replace(found, tariff=tariff, so_far=so_far or {})


def tariff_of(*args, **kwargs):
    return plan(consumer(*args, **kwargs), CREATED).money.tariff


def ideal(energy_kwh, power_kw=1e4, soc_fraction=0.5):
    return battery(energy_capacity_kwh=energy_kwh, charge_power_kw=power_kw, discharge_power_kw=power_kw,
                   charge_efficiency=1.0, discharge_efficiency=1.0, initial_soc_fraction=soc_fraction)  # fmt: skip


def test_a_fee_is_paid_on_every_kwh_that_is_drawn_and_on_none_that_is_fed_in():
    found = consumer([10.0, 10.0], fee(price=50.0), assets=[solar(curtailable=False)], pv1=[0.0, 30.0])
    assert plan(found, CREATED).money.tariff == pytest.approx(-0.5)
    found = consumer([10.0, 10.0], fee(of="export", price=50.0), assets=[solar(curtailable=False)], pv1=[0.0, 30.0])
    assert plan(found, CREATED).money.tariff == pytest.approx(-1.0)


def test_a_fee_moves_consumption_out_of_its_window():
    window = fee(price=80.0, when=When(months=[1, 12], hours="01:00-02:00"))
    made = plan(consumer([20.0, 20.0, 20.0], window, assets=[ideal(20.0, soc_fraction=0.0)]), CREATED)
    assert made.money.tariff == pytest.approx(0.0)
    assert made.site_export_kw[1] == pytest.approx(0.0, abs=1e-6)


def test_a_fee_keeps_a_store_from_arbitrage_that_the_fee_eats_up():
    store = [ideal(10.0, soc_fraction=0.0)]
    untaxed = plan(consumer([0.0, 0.0], prices=[10.0, 100.0], assets=store), CREATED)
    assert untaxed.money.net == pytest.approx(0.9)
    for price, net in ((80.0, 0.1), (95.0, 0.0)):
        assert plan(consumer([0.0, 0.0], fee(price=price), prices=[10.0, 100.0], assets=store), CREATED).money.net == (
            pytest.approx(net, abs=1e-9)
        )


def test_acc_59_a_store_takes_the_demand_of_a_railway_from_30_to_20_mw():
    railway, charge = [10e3, 10e3, 30e3, 10e3], peak(average_minutes=15)
    made = plan(consumer(railway, charge, step_minutes=15, assets=[ideal(5000.0)]), CREATED)
    assert made.tariff[0].periods[0].billed == pytest.approx(20_000.0)
    assert made.money.tariff == pytest.approx(-7 * 20_000.0)
    assert min(made.site_export_kw) == pytest.approx(-20_000.0)
    without = plan(consumer(railway, charge, step_minutes=15), CREATED)
    assert without.tariff[0].periods[0].billed == pytest.approx(30_000.0)


def test_only_the_rise_above_the_peak_so_far_is_paid():
    assert tariff_of([30.0, 50.0], peak(so_far_kw=40.0)) == pytest.approx(-70.0)
    assert tariff_of([30.0, 50.0], peak(so_far_kw=60.0)) == 0.0


def test_below_the_peak_so_far_a_store_does_as_it_likes():
    """Charging 60 kW in the cheap hour is free of charge up to 60 kW, and would cost 7 per kW beyond."""
    store = [ideal(100.0, soc_fraction=0.0)]
    made = plan(consumer([0.0, 0.0], peak(so_far_kw=60.0), prices=[10.0, 100.0], assets=store), CREATED)
    assert made.site_export_kw == pytest.approx((-60.0, 60.0))
    assert made.money.tariff == 0.0
    (period,) = made.tariff[0].periods
    assert period.worth_per_kw == pytest.approx(0.09, abs=1e-6)


def test_what_was_measured_goes_before_what_the_site_file_says():
    measured = {"demand": SoFar(peak_kw=45.0)}
    assert tariff_of([30.0, 50.0], peak(so_far_kw=10.0), so_far=measured) == pytest.approx(-35.0)


def test_a_peak_is_the_highest_average_of_its_time_by_the_clock():
    """Quarter-hours 0, 0, 80, 80 | 80, 0, 0, 0: the hours' averages are 40 and 20, though 80 lasts 45 minutes."""
    load_kw = [0.0, 0.0, 80.0, 80.0, 80.0, 0.0, 0.0, 0.0]
    for minutes, average_kw in ((15, 80.0), (30, 80.0), (60, 40.0)):
        charge = peak(average_minutes=minutes)
        assert tariff_of(load_kw, charge, step_minutes=15) == pytest.approx(-7 * average_kw)


def late(minutes, count, step_minutes=15):
    start = datetime(2026, 11, 23, 8, tzinfo=UTC).timestamp() + 60 * minutes
    step_s = 60 * step_minutes
    first_s = step_s - round(60 * minutes) % step_s
    return Horizon(datetime.fromtimestamp(start, UTC), step_s, count, "UTC", first_s)


def test_of_an_average_that_has_begun_the_measured_energy_counts():
    """At 08:30 an hour has drawn 50 kWh; 20 kW for the rest of it make an average of 60 kW."""
    given = {"horizon": late(30, 2), "so_far": {"demand": SoFar(block_kwh=50.0)}}
    assert tariff_of([20.0, 20.0], peak(), **given) == pytest.approx(-7 * 60.0)


def test_of_an_average_that_has_begun_unmeasured_the_rest_stands_for_all():
    assert tariff_of([20.0, 40.0], peak(), horizon=late(30, 2)) == pytest.approx(-7 * 30.0)


def test_a_step_that_has_begun_counts_with_the_energy_measured_of_it():
    """At 08:10 a quarter-hour has drawn 10 kWh; 30 kW for its last 5 minutes make 12.5 kWh, 50 kW on average."""
    given = {"horizon": late(10, 1), "so_far": {"demand": SoFar(block_kwh=10.0)}}
    assert tariff_of([30.0], peak(average_minutes=15), **given) == pytest.approx(-7 * 50.0)


def test_each_month_pays_its_own_peak_and_the_peak_so_far_belongs_to_the_first():
    horizon = replace(late(0, 2, 60), start=datetime(2026, 11, 30, 23, tzinfo=UTC))
    assert tariff_of([30.0, 20.0], peak(so_far_kw=25.0), horizon=horizon) == pytest.approx(-7 * (5.0 + 20.0))
    in_shanghai = replace(horizon, timezone="Asia/Shanghai")
    assert tariff_of([30.0, 20.0], peak(so_far_kw=25.0), horizon=in_shanghai) == pytest.approx(-7 * 5.0)


def test_blocks_that_rise_are_paid_one_after_the_other():
    blocks = [EnergyTier(up_to_kwh=30.0, price_per_mwh=100.0), EnergyTier(price_per_mwh=300.0)]
    entry = fee(tiers=blocks, period="month")
    assert tariff_of([20.0, 20.0], entry) == pytest.approx(-(30 * 0.1 + 10 * 0.3))
    begun = fee(tiers=blocks, period="month", so_far_kwh=25.0)
    assert tariff_of([20.0, 20.0], begun) == pytest.approx(-(5 * 0.1 + 35 * 0.3))
    at_night = replace(late(0, 2, 60), start=datetime(2026, 11, 23, 23, tzinfo=UTC))
    daily = fee(tiers=blocks, period="day", so_far_kwh=25.0)
    assert tariff_of([20.0, 20.0], daily, horizon=at_night) == pytest.approx(-(5 * 0.1 + 15 * 0.3 + 20 * 0.1))


def test_blocks_that_fall_cannot_be_had_without_filling_the_dear_one():
    """20 kWh at 300 and the rest at 10: the plan may not pay the cheap block first."""
    blocks = [EnergyTier(up_to_kwh=20.0, price_per_mwh=300.0), EnergyTier(price_per_mwh=10.0)]
    entry = fee(tiers=blocks, period="month")
    assert tariff_of([10.0, 5.0], entry) == pytest.approx(-15 * 0.3)
    assert tariff_of([20.0, 20.0], entry) == pytest.approx(-(20 * 0.3 + 20 * 0.01))


def test_blocks_of_power_are_paid_one_after_the_other():
    blocks = [PeakTier(up_to_kw=40.0, price_per_kw=5.0), PeakTier(price_per_kw=9.0)]
    assert tariff_of([30.0, 50.0], peak(tiers=blocks)) == pytest.approx(-(40 * 5.0 + 10 * 9.0))
    assert tariff_of([30.0, 50.0], peak(tiers=blocks, so_far_kw=35.0)) == pytest.approx(-(5 * 5.0 + 10 * 9.0))


def test_a_ratchet_bills_a_share_of_an_earlier_peak_whatever_the_plan_does():
    """80 % of 100 kW are owed anyway; of a peak of 90 kW, 10 are added."""
    ratchet = {"ratchet_fraction": 0.8, "earlier_peak_kw": 100.0}
    assert tariff_of([50.0], peak(**ratchet)) == 0.0
    assert tariff_of([90.0], peak(**ratchet)) == pytest.approx(-70.0)


def test_a_ratchet_makes_the_next_month_pay_for_this_one():
    horizon = replace(late(0, 2, 60), start=datetime(2026, 11, 30, 23, tzinfo=UTC))
    made = plan(consumer([100.0, 20.0], peak(ratchet_fraction=0.8), horizon=horizon), CREATED)
    assert made.money.tariff == pytest.approx(-7 * (100.0 + 80.0))
    assert [period.billed for period in made.tariff[0].periods] == pytest.approx([100.0, 80.0])


def test_a_charge_on_peaks_holds_in_its_window_alone():
    window = When(months=[1, 12], hours="01:00-02:00", weekdays="weekdays")
    assert tariff_of([90.0, 40.0, 90.0], peak(when=window)) == pytest.approx(-280.0)
    sunday = hours(3, first=date(2026, 11, 22))
    assert tariff_of([90.0, 40.0, 90.0], peak(when=window), horizon=sunday) == 0.0


@pytest.mark.parametrize(("day", "steps", "hours_held"), [(date(2026, 3, 29), 23, 6), (date(2026, 10, 25), 25, 8)])
def test_pain_14_a_window_follows_the_clock_on_the_wall_when_clocks_change(day, steps, hours_held):
    """00:00 to 07:00 lasts six hours when clocks go forward and eight when they go back."""
    window = When(months=[1, 12], hours="00:00-07:00")
    given = hours(steps, first=day, timezone="Europe/Berlin")
    assert tariff_of([10.0] * steps, fee(when=window), horizon=given) == pytest.approx(-hours_held)


def test_pain_14_the_hour_that_clocks_pass_twice_is_two_averages():
    given = hours(8, 30, date(2026, 10, 25), "Europe/Berlin")
    load_kw = [0.0, 0.0, 0.0, 0.0, 30.0, 30.0, 50.0, 50.0]  # 02:00–03:00, then 02:00–03:00 once more
    assert tariff_of(load_kw, peak(), horizon=given) == pytest.approx(-7 * 50.0)


def test_pain_4_selling_above_the_price_of_buying_is_no_loophole_under_a_fee():
    """Export pays 30 more than import costs: at a fee of 20 nobody may do both, at a fee of 40 nobody wants to."""
    for price in (20.0, 40.0):
        found = problem([load()], [50.0], export_prices=[80.0], series={"load1": [10.0]})
        made = plan(replace(found, tariff=(fee(price=price),)), CREATED)
        assert made.money.energy == pytest.approx(-0.5)
        assert made.money.tariff == pytest.approx(-10 * price / 1000)


def test_pain_4_a_store_does_not_burn_energy_to_be_paid_for_drawing_it_beyond_the_fee():
    """At −30 a fee of 20 leaves 10 per MWh for drawing; the store takes what fits, in one direction."""
    store = [ideal(50.0, 100.0, 0.0).model_copy(update={"charge_efficiency": 0.5, "final_soc_fraction": 0.0})]
    made = plan(consumer([0.0], fee(price=20.0), prices=[-30.0], assets=store), CREATED)
    assert made.money.net == pytest.approx(1.0)
    assert made.site_export_kw == pytest.approx((-100.0,))


def test_pain_5_a_peak_that_was_reached_is_not_paid_again_by_the_plans_that_follow():
    """A day planned hour by hour pays in all what it pays when planned at once."""
    load_kw = [30.0, 80.0, 20.0, 90.0, 10.0]
    whole, reached, paid = tariff_of(load_kw, peak()), 0.0, 0.0
    for k, kw in enumerate(load_kw):
        paid += tariff_of([kw], peak(), horizon=late(60 * k, 1, 60), so_far={"demand": SoFar(peak_kw=reached)})
        reached = max(reached, kw)
    assert paid == pytest.approx(whole) == pytest.approx(-7 * 90.0)


def test_a_bill_of_given_power_needs_no_plan():
    (charged,) = bill([peak(so_far_kw=10.0)], hours(3), [-30.0, 5.0, -20.0], {})
    (period,) = charged.periods
    assert (period.period, period.reached, period.owed, period.billed) == ("2026-11", 30.0, 10.0, 30.0)
    assert (charged.cash, period.steps, charged.energy_kwh) == (-140.0, (0,), 50.0)


def test_a_feed_in_limit_holds_below_the_export_limit():
    found = problem([solar()], [100.0, 100.0], series={"pv1": [50.0, 20.0]}, export_limit_kw=40.0)
    limited = replace(found, connection=found.connection.model_copy(update={"feed_in_limit_kw": 30.0}))
    assert plan(limited, CREATED).site_export_kw == pytest.approx((30.0, 20.0))
    wide = replace(found, connection=found.connection.model_copy(update={"feed_in_limit_kw": 300.0}))
    assert plan(wide, CREATED).site_export_kw == pytest.approx((40.0, 20.0))


def test_pain_5_a_running_site_re_plans_to_the_same_money_as_a_plan_made_anew():
    """Over midnight and the turn of the month, in the middle of steps and averages, with a rising peak."""
    rolling, store, worth = Rolling(), ideal(60.0, 40.0), {}
    entries = (peak(average_minutes=30), fee(price=30.0, when=When(months=[1, 12], hours="06:00-22:00")))
    begin = datetime(2026, 11, 30, 22, tzinfo=UTC).timestamp()
    for k in range(6):
        minutes = 25 * k
        first_s = 900 - 60 * minutes % 900
        horizon = Horizon(datetime.fromtimestamp(begin + 60 * minutes, UTC), 900, 16, "UTC", first_s)
        load_kw = [20.0 + 15 * ((j + k) % 4) for j in range(16)]
        so_far = {"demand": SoFar(peak_kw=10.0 + 4 * k, block_kwh=2.0)}
        found = consumer(load_kw, *entries, horizon=horizon, so_far=so_far, prices=[50.0 + j for j in range(16)],
                         assets=[store])  # fmt: skip
        warm, cold = rolling.plan(found, CREATED), Rolling()
        cold._worth_per_mwh = worth  # the same worth of what is left
        assert warm.money.net == pytest.approx(cold.plan(found, CREATED).money.net, abs=1e-6)
        worth = dict(rolling._worth_per_mwh)
