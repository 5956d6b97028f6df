"""Numbers as people read them, and sentences that say what the plan's numbers say."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sites import hours
from tests.vpp.reported import four_hours, source, store
from vpp.domain.plan import Money
from vpp.report.story import headline, trade
from vpp.report.wording import Calendar, between, listed, money, number, quantity, runs, signed

NB = "\u00a0"


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(1234567.891, 2, "1,234,567.89"), (-5, 0, "−5"), (-0.001, 2, "0.00"), (0.0, 1, "0.0"), (-0.0, 0, "0"),
     (999.5, 0, "1,000"), (-1234.5, 1, "−1,234.5")],
)  # fmt: skip
def test_a_number_has_separated_thousands_a_true_minus_and_no_signed_zero(value, decimals, text):
    assert number(value, decimals) == text


@pytest.mark.parametrize(("value", "text"), [(5, "+5.00"), (-5, "−5.00"), (0, "0.00"), (0.001, "0.00")])
def test_a_signed_number_has_a_plus_only_where_it_is_more_than_nothing(value, text):
    assert signed(value, 2) == text


@pytest.mark.parametrize(
    ("value", "text"), [(1234.5, "1,234"), (99.95, "100.0"), (12.34, "12.3"), (7, "7"), (0.1234, "0.123"), (0, "0")]
)
def test_a_quantity_has_as_many_decimals_as_it_deserves(value, text):
    assert quantity(value) == text


@given(st.floats(-1e9, 1e9))
def test_money_reads_back_as_what_it_was_to_a_hundredth(value):
    assert float(money(value).replace(",", "").replace("−", "-")) == pytest.approx(value, abs=0.00501)


@given(st.sets(st.integers(0, 200)))
def test_runs_are_the_fewest_spans_that_hold_exactly_those_steps(steps):
    found = list(runs(sorted(steps)))
    assert {step for first, after in found for step in range(first, after)} == steps
    assert all(before[1] < after[0] for before, after in pairwise(found))


def test_a_range_of_one_number_is_that_number():
    assert between(79.6, 80.4) == "80"
    assert between(-5, 80) == "−5 … 80"


@pytest.mark.parametrize(("items", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), ("abc", "a, b and c")])
def test_a_list_reads_as_in_a_sentence(items, text):
    assert listed(items) == text


def test_no_more_spans_are_named_than_fit():
    calendar = Calendar(hours(24))
    steps = [0, 2, 3, 6, 9, 20]
    assert calendar.spans(steps) == "00:00–01:00, 02:00–04:00, 06:00–07:00 + 2 more"
    assert calendar.spans([23]) == "23:00–24:00"


@pytest.mark.parametrize(
    ("net", "idle", "told"),
    [
        (12.0, 5.0, f"Earns 12.00{NB}EUR, 7.00 more than leaving the battery idle."),
        (5.0, 12.0, f"Earns 5.00{NB}EUR, 7.00 less than leaving the battery idle."),
        (-5.0, -12.0, f"Spends 5.00{NB}EUR, 7.00 less than leaving the battery idle."),
        (-12.0, -5.0, f"Spends 12.00{NB}EUR, 7.00 more than leaving the battery idle."),
        (5.0, 5.001, f"Earns 5.00{NB}EUR, as much as leaving the battery idle."),
        (0.0, 0.0, f"Earns 0.00{NB}EUR, as much as leaving the battery idle."),
        (5.0, None, f"Earns 5.00{NB}EUR. Leaving the battery idle would break a limit."),
    ],
)
def test_the_headline_compares_with_stores_left_alone(net, idle, told):
    assert headline(four_hours(money=Money("EUR", energy=net), idle_net=idle)) == told


def test_the_headline_of_a_plan_that_crosses_zero_names_the_whole_difference():
    """It earns 3 where it would have spent 4."""
    assert headline(four_hours(money=Money("EUR", energy=3.0), idle_net=-4.0)) == (
        f"Earns 3.00{NB}EUR, 7.00 more than leaving the battery idle."
    )


def test_the_headline_counts_the_stores_and_knows_sites_without_any():
    assert "the 2 batteries idle" in headline(four_hours(store("a"), store("b")))
    assert "the 2 stores idle" in headline(four_hours(store("a"), store("b", asset_type="thermal")))
    assert headline(four_hours(source("wind", (1.0,) * 4))) == f"Earns 7.00{NB}EUR."


def test_the_trade_names_what_is_sold_bought_and_curtailed():
    plan = four_hours(store(), source("wind", (10.0, 0.0, 0.0, 0.0), (10.0, 40.0, 0.0, 0.0)))
    assert trade(plan) == (
        f"It sells 100{NB}kWh, 00:00–01:00 (10{NB}kWh) and 03:00–04:00 (90{NB}kWh). "
        f"It buys 100{NB}kWh, 01:00–02:00. It curtails 40{NB}kWh, 01:00–02:00."
    )


def test_nothing_traded_is_said():
    assert trade(four_hours(source("wind", (0.0,) * 4))) == "It sells nothing. It buys nothing."


@given(st.lists(st.floats(0, 5000), min_size=24, max_size=24), st.sampled_from([15, 60]))
def test_the_energy_sold_is_that_of_the_steps(powers, minutes):
    horizon = hours(24, minutes)
    plan = replace(
        four_hours(source("wind", tuple(powers))),
        horizon=horizon,
        import_price_per_mwh=(1.0,) * 24,
        export_price_per_mwh=(1.0,) * 24,
    )
    kwh = sum(kw * minutes / 60 for kw in powers if kw > 1e-6)
    if kwh == 0:
        assert trade(plan).startswith("It sells nothing.")
    else:
        value, unit = re.match(rf"It sells ([\d,.]+){NB}(kWh|MWh)\b", trade(plan)).groups()
        size = float(value.replace(",", "")) * {"kWh": 1, "MWh": 1000}[unit]
        assert size == pytest.approx(kwh, rel=0.006, abs=0.0006)
