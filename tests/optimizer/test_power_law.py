"""The law of calendar and cycle ageing of one cell, against published figures, and the price of rest made of it."""

import pytest
from pydantic import ValidationError

from optimizer.ageing.power_law import CELLS, DAYS_PER_YEAR, Use, resting_slopes
from optimizer.ageing.schema import Ageing
from optimizer.planner import plan
from tests.oracle import best_net
from tests.sites import CREATED, battery, problem

CELL = CELLS["lfp_graphite_250ah"]
GENTLE = Use(temperature_c=25, depth_fraction=0.8, charge_rate_per_h=0.25, discharge_rate_per_h=0.25)
LIFE = {"replacement_cost_per_kwh": 700.0, "cycle_life_count": 8000.0, "depth_exponent": 1.4}
MODEL = {"cell": "lfp_graphite_250ah", "age_years": 1.0}


def lost_at_rest(soc_fraction, temperature_c, years=10.0):
    rate = CELL.calendar_rate(soc_fraction, temperature_c)
    return CELL.calendar_loss_fraction(rate, years * DAYS_PER_YEAR)


@pytest.mark.parametrize(
    ("temperature_c", "soc_fraction", "percent"), [(25, 0.5, 3.70), (25, 0.9, 5.63), (45, 0.5, 12.17), (45, 0.9, 18.03)]
)
def test_ten_years_of_rest_take_what_was_published(temperature_c, soc_fraction, percent):
    assert 100 * lost_at_rest(soc_fraction, temperature_c) == pytest.approx(percent, abs=0.006)


def test_a_gentle_cycle_a_day_for_ten_years_takes_what_was_published():
    lost = CELL.cycle_loss_fraction(3650, GENTLE)
    assert 100 * lost == pytest.approx(13.54, abs=0.005)
    assert 100 * (1 - lost - lost_at_rest(0.5, 25)) == pytest.approx(82.76, abs=0.01)


def test_the_loss_of_an_hour_is_the_slope_of_the_loss():
    rate, days = CELL.calendar_rate(0.7, 30), 400.0
    step = CELL.calendar_loss_fraction(rate, days + 0.5) - CELL.calendar_loss_fraction(rate, days - 0.5)
    assert CELL.calendar_loss_per_h(rate, days) * 24 == pytest.approx(step, rel=1e-6)


def test_what_was_not_tested_is_named():
    assert list(CELL.beyond_tests(GENTLE)) == []
    assert list(CELL.beyond_tests(Use(5, 0.7, 0.7, 1.1))) == [
        "temperature 5 °C (tested 10 to 45)",
        "depth 70 % (tested 80 to 100)",
        "charge rate 0.7 C (tested 0 to 0.65)",
        "discharge rate 1.1 C (tested 0 to 1)",
    ]


@pytest.mark.parametrize("temperature_c", [10, 25, 45])
@pytest.mark.parametrize("years", [0.1, 1, 12])
def test_bands_of_rest_never_exceed_the_law_and_meet_it_at_both_ends(temperature_c, years):
    bands = resting_slopes(CELL, temperature_c, years * DAYS_PER_YEAR)
    assert all(slope > 0 for _, slope in bands)

    def law(soc_fraction):
        rate = CELL.calendar_rate(soc_fraction, temperature_c)
        return CELL.calendar_loss_per_h(rate, years * DAYS_PER_YEAR)

    def banded(soc_fraction):
        return law(0) + sum(slope * max(0.0, soc_fraction - bottom) for bottom, slope in bands)

    assert banded(1.0) == pytest.approx(law(1.0), rel=0.02)
    assert all(banded(k / 50) <= law(k / 50) * (1 + 1e-9) + 0.02 * law(1.0) for k in range(51))


def test_the_price_of_rest_falls_with_age_and_rises_with_heat():
    def price(**changes):
        bands = Ageing(**LIFE, calendar_model=MODEL | changes).bands
        return sum(band.price_per_mwh_h for band in bands)

    # From empty to full an hour takes 1.0286e-6 of the capacity at one year of age, of the 20 % that may be lost.
    rate = CELL.calendar_rate(1.0, 25)
    assert rate == pytest.approx(0.05748 / 3650**0.526, rel=1e-3)
    an_hour = 0.526 * rate * DAYS_PER_YEAR**-0.474 / 24
    assert an_hour == pytest.approx(1.0286e-6, rel=1e-3)
    assert price() == pytest.approx(1000 * 700 * an_hour / 0.2, rel=0.02)
    assert price(age_years=4.0) == pytest.approx(price() * 4**-0.474)
    assert price(temperature_c=45.0) > 3 * price()
    assert price(end_of_life_soh_fraction=0.6) == pytest.approx(price() / 2)


def test_a_store_whose_rest_has_a_law_is_charged_late():
    prices = [10, 10, 10, 10, 10, 10, 500, 500]
    fields = {"initial_soc_fraction": 0.0, "charge_efficiency": 1.0, "discharge_efficiency": 1.0}
    store = battery(ageing=Ageing(**LIFE, calendar_model=MODEL), **fields)
    site = problem([store], prices)
    made = plan(site, CREATED)
    assert made.schedules[0].stored_kwh == pytest.approx([0, 0, 0, 0, 100, 200, 100, 0])
    price = sum(band.price_per_mwh_h for band in store.ageing.bands)
    assert -made.money.wear == pytest.approx(700 * 200 / 8000 + price * 0.4, rel=0.01)
    assert made.money.net == pytest.approx(best_net(site), rel=1e-9)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"age_years": 0.0}, "greater than or equal to 0.01"),
        ({"cell": "lead"}, "lfp_graphite_250ah"),
        ({"end_of_life_soh_fraction": 1.0}, "less than 1"),
        ({"temperature_c": float("nan")}, "finite"),
    ],
)
def test_a_model_of_rest_that_is_none_is_refused(fields, told):
    with pytest.raises(ValidationError, match=told):
        Ageing(**LIFE, calendar_model=MODEL | fields)


def test_rest_is_not_counted_twice():
    with pytest.raises(ValidationError, match="count rest twice"):
        Ageing(**LIFE, calendar=[{"above_soc_fraction": 0.5, "price_per_mwh_h": 1.0}], calendar_model=MODEL)
