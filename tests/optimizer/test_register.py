"""What a running site counts of its tariff, second by second, is what the bill counts step by step."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.tariff.bill import bill
from optimizer.tariff.register import Register
from optimizer.tariff.schema import EnergyFee, EnergyTier, PeakCharge, When
from vpp.domain.horizon import Horizon

NOON = datetime(2026, 11, 23, 11, tzinfo=UTC)
"""In Berlin."""
BERLIN = "Europe/Berlin"


def peak(**fields):
    given = {"id": "demand", "kind": "peak", "of": "import", "price_per_kw": 7.0, "period": "month"} | fields
    return Register(PeakCharge.model_validate(given), ZoneInfo(BERLIN))


def blocks(**fields):
    tiers = [EnergyTier(up_to_kwh=40.0, price_per_mwh=10.0), EnergyTier(price_per_mwh=50.0)]
    entry = EnergyFee(id="blocks", kind="energy", of="import", tiers=tiers, period="month", **fields)
    return Register(entry, ZoneInfo(BERLIN))


def drawn(register, *spans, start=NOON, counted=None):
    """What is counted after spans of so many minutes at so much import; nothing measured where that is `None`."""
    at, counted = start, register.begun(start, counted)
    for minutes, import_kw in spans:
        end = at + timedelta(minutes=minutes)
        if import_kw is not None:
            counted = register.counted_on(counted, at, end, -import_kw)
        at = end
    return counted, at


def reached(register, *spans, **given):
    counted, at = drawn(register, *spans, **given)
    told = register.so_far(counted, at, 900)
    return told.energy_kwh if register.entry.kind == "energy" else told.peak_kw


def test_a_peak_is_the_highest_average_and_not_the_highest_power():
    assert reached(peak(), (5, 300.0), (10, 0.0), (15, 80.0)) == pytest.approx(100.0)


def test_an_average_counts_when_it_is_over_and_goes_into_a_plan_while_it_runs():
    counted, at = drawn(peak(so_far_kw=20.0), (10, 90.0))
    told = peak().so_far(counted, at, 900)
    assert (told.peak_kw, told.block_kwh) == (20.0, pytest.approx(15.0))
    assert peak().so_far(counted, at + timedelta(minutes=5), 900).peak_kw == 20.0  # two thirds of it are too little
    assert reached(peak(so_far_kw=20.0), (10, 90.0), (4, 90.0), (1, None)) == pytest.approx(90.0)


def test_what_was_not_measured_of_an_average_is_taken_to_be_like_the_rest():
    counted, at = drawn(peak(), (1, None), (13, 60.0))
    assert peak().so_far(counted, at, 900).block_kwh == pytest.approx(14.0)
    assert reached(peak(), (1, None), (14, 60.0)) == pytest.approx(60.0)


def test_an_average_of_which_too_little_was_measured_is_not_counted():
    assert reached(peak(), (2, None), (13, 60.0), (15, 30.0)) == pytest.approx(30.0)
    counted, at = drawn(peak(), (2, None), (8, 60.0))
    assert peak().so_far(counted, at, 900).block_kwh is None


def test_export_is_no_import():
    assert reached(peak(), (15, -500.0), (15, 10.0)) == pytest.approx(10.0)
    assert reached(peak(of="export"), (15, -500.0), (15, 10.0)) == pytest.approx(500.0)


def test_averages_count_only_while_the_charge_holds():
    noon = peak(when=When(months=[1, 12], hours="12:15-13:00"))
    assert reached(noon, (15, 200.0), (15, 50.0), (30, 40.0), (15, 300.0)) == pytest.approx(50.0)


def test_a_new_local_month_begins_at_nothing_whatever_the_site_file_goes_on_saying():
    midnight = datetime(2026, 11, 30, 23, tzinfo=UTC)  # the first of December in Berlin
    register = peak(so_far_kw=480.0)
    counted, at = drawn(register, (15, 500.0), (15, 20.0), start=midnight - timedelta(minutes=15))
    assert register.so_far(counted, at, 900).peak_kw == pytest.approx(20.0)
    assert counted.period == "2026-12"
    again = register.begun(at + timedelta(minutes=20), counted)  # a restart
    assert register.so_far(again, at + timedelta(minutes=20), 900).peak_kw == pytest.approx(20.0)


def test_a_plan_at_the_first_instant_of_a_month_knows_no_peak():
    midnight = datetime(2026, 11, 30, 23, tzinfo=UTC)
    counted, at = drawn(peak(so_far_kw=480.0), (15, 500.0), start=midnight - timedelta(minutes=15))
    assert at == midnight
    assert peak().so_far(counted, at, 900).peak_kw == 0.0
    assert peak().so_far(counted, at - timedelta(seconds=1), 900).peak_kw == 480.0


def test_a_figure_that_changed_in_the_site_file_counts_from_the_next_start_on_if_it_is_higher():
    counted, at = drawn(peak(so_far_kw=100.0), (15, 120.0))
    for said, known in ((100.0, 120.0), (110.0, 120.0), (150.0, 150.0)):
        register = peak(so_far_kw=said)
        assert register.so_far(register.begun(at, counted), at, 900).peak_kw == pytest.approx(known)


def test_a_day_of_its_own_begins_at_local_midnight():
    register, before = peak(period="day"), datetime(2026, 11, 23, 22, 45, tzinfo=UTC)
    counted, at = drawn(register, (15, 70.0), (15, 30.0), start=before)
    assert (counted.period, register.so_far(counted, at, 900).peak_kw) == ("2026-11-24", pytest.approx(30.0))


def test_energy_of_blocks_adds_up_while_the_fee_holds_and_begins_again_with_its_period():
    assert reached(blocks(so_far_kwh=25.0), (30, 60.0), (10, None), (30, 20.0)) == pytest.approx(65.0)
    noon = blocks(when=When(months=[1, 12], hours="12:15-12:30"))
    assert reached(noon, (60, 100.0)) == pytest.approx(25.0)
    midnight = datetime(2026, 11, 30, 23, tzinfo=UTC)
    ran = (midnight - timedelta(minutes=30), (60, 100.0))
    assert reached(blocks(so_far_kwh=25.0), ran[1], start=ran[0]) == pytest.approx(50.0)


def test_where_steps_are_longer_than_averages_a_plan_is_told_the_peak_alone():
    counted, at = drawn(peak(), (15, 80.0), (10, 50.0))
    told = peak().so_far(counted, at, 3600)
    assert (told.peak_kw, told.block_kwh) == (pytest.approx(80.0), None)


STEP_S = 300
powers = st.lists(st.floats(-300, 300).map(lambda kw: round(kw, 1)), min_size=24, max_size=60)


@settings(deadline=None, max_examples=60)
@given(
    powers=powers,
    start=st.sampled_from([NOON, datetime(2026, 11, 30, 21, tzinfo=UTC), datetime(2026, 10, 24, 23, tzinfo=UTC)]),
    said=st.sampled_from([0.0, 60.0]),
    minutes=st.sampled_from([5, 15, 30, 60]),
    period=st.sampled_from(["day", "month"]),
    seconds=st.sampled_from([60, 130, 1000]),
)
def test_a_running_site_counts_what_the_bill_of_the_same_power_counts(powers, start, said, minutes, *, period, seconds):
    powers = powers[: len(powers) - len(powers) % 12] + [0.0] * 13  # so that every average that counts is over
    horizon = Horizon(start, STEP_S, len(powers), BERLIN, STEP_S)
    demand = peak(so_far_kw=said, average_minutes=minutes, period=period)
    energy = Register(blocks(so_far_kwh=said).entry.model_copy(update={"period": period}), demand.zone)
    billed = bill([demand.entry, energy.entry], horizon, powers, {})
    for register, told in zip((demand, energy), billed, strict=True):
        counted, at = register.begun(start, None), start
        while at < horizon.end:
            end = min(horizon.end, at + timedelta(seconds=seconds))
            for first, after, kw in zip(horizon.starts, horizon.ends, powers, strict=True):
                if first < end and at < after:
                    counted = register.counted_on(counted, max(at, first), min(after, end), kw)
            at = end
        known = register.so_far(counted, horizon.end, STEP_S)
        assert max(known.peak_kw, known.energy_kwh) == pytest.approx(told.periods[-1].billed, abs=1e-6)
