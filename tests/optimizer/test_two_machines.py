"""Stores whose machines are on or off: against every way of switching them, and against sums done by hand."""

from dataclasses import replace

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from optimizer.assets.flow_battery.schema import FlowBattery
from optimizer.assets.hydrogen_storage.schema import HydrogenStorage
from optimizer.assets.pumped_hydro.schema import PumpedHydro
from optimizer.assets.thermomechanical_storage.schema import ThermomechanicalStorage
from optimizer.contrast import contrast
from optimizer.planner import explained, plan
from optimizer.problem import Reserve, State, Wanted
from optimizer.rolling import Rolling
from tests.oracle_machines import best_net
from tests.sites import CREATED, NOWHERE, battery, load, problem
from vpp.domain.errors import InfeasibleError
from vpp.report.refusals import contradiction
from vpp.report.why import Because, reasons


def flow(name="flow", **fields):
    """A flow battery of 100 kW and 400 kWh without losses, unless told otherwise."""
    given_ = {"energy_capacity_kwh": 400.0, "charge_power_kw": 100.0, "discharge_power_kw": 100.0}
    given_ |= {"charge_efficiency": 1.0, "discharge_efficiency": 1.0}
    return FlowBattery(id=name, type="flow_battery", **given_ | fields)


def caes(name="caes", **fields):
    """A compressor and an expander of 100 kW at 400 kWh without losses, unless told otherwise."""
    given_ = {"energy_capacity_kwh": 400.0, "charge_power_kw": 100.0, "discharge_power_kw": 100.0}
    given_ |= {"charge_efficiency": 1.0, "discharge_efficiency": 1.0}
    return ThermomechanicalStorage(id=name, type="thermomechanical_storage", **given_ | fields)


def numbers(low, high, decimals=2):
    return st.integers(round(low * 10**decimals), round(high * 10**decimals)).map(lambda k: k / 10**decimals)


@st.composite
def stores(draw):
    bottom, top = draw(numbers(0, 0.2)), draw(numbers(0.7, 1))
    common = {
        "energy_capacity_kwh": draw(numbers(40, 400, 0)),
        "charge_power_kw": draw(numbers(10, 100, 0)),
        "discharge_power_kw": draw(numbers(10, 100, 0)),
        "min_charge_power_kw": draw(numbers(0, 10, 0)),
        "min_discharge_power_kw": draw(numbers(0, 10, 0)),
        "charge_efficiency": draw(numbers(0.7, 1)),
        "discharge_efficiency": draw(numbers(0.7, 1)),
        "min_soc_fraction": bottom,
        "max_soc_fraction": top,
        "initial_soc_fraction": draw(numbers(bottom, top)),
        "final_soc_fraction": draw(st.one_of(st.none(), numbers(bottom, top))),
        "self_discharge_fraction_per_h": draw(numbers(0, 0.02, 3)),
        "standing_load_kw": draw(numbers(0, 2)),
        "throughput_cost_per_mwh": draw(numbers(0, 20, 0)),
    }
    kind = draw(st.sampled_from(["flow", "caes", "hydrogen", "hydro"]))
    if kind in ("hydrogen", "hydro"):
        return draw(hydrogens(common) if kind == "hydrogen" else hydros(common))
    if kind == "flow":
        return flow(
            "one",
            **common,
            pump_load_kw=draw(numbers(0, 5)),
            pump_load_fraction=draw(numbers(0, 0.05)),
            shunt_loss_kw=draw(numbers(0, 3)),
            on_cost_per_h=draw(numbers(0, 1)),
        )
    return caes(
        "one",
        **common,
        charge_cost_per_start=draw(numbers(0, 2)),
        discharge_cost_per_start=draw(numbers(0, 2)),
        min_idle_minutes=draw(st.sampled_from([0.0, 20.0, 60.0, 90.0])),
        auxiliary_load_kw=draw(numbers(0, 5)),
    )


WINDOW = (
    *("min_soc_fraction", "max_soc_fraction", "initial_soc_fraction", "final_soc_fraction"),
    *("standing_load_kw", "throughput_cost_per_mwh"),
)


@st.composite
def hydrogens(draw, common):
    return HydrogenStorage(
        id="one",
        type="hydrogen_storage",
        **{name: common[name] for name in WINDOW},
        tank_capacity_kg=draw(numbers(1, 12)),
        electrolyser_power_kw=common["charge_power_kw"],
        min_electrolyser_power_kw=common["min_charge_power_kw"],
        fuel_cell_power_kw=common["discharge_power_kw"],
        min_fuel_cell_power_kw=common["min_discharge_power_kw"],
        electrolyser_efficiency=common["charge_efficiency"],
        fuel_cell_efficiency=common["discharge_efficiency"],
        electrolyser_standby_load_kw=draw(numbers(0, min(2, common["min_charge_power_kw"]))),
        electrolyser_cost_per_start=draw(numbers(0, 2)),
    )


@st.composite
def hydros(draw, common):
    return PumpedHydro(
        id="one",
        type="pumped_hydro",
        **{name: common[name] for name in WINDOW},
        reservoir_volume_m3=draw(numbers(200, 1500, 0)),
        head_m=100.0,
        pump_unit_count=draw(st.integers(1, 3)),
        pump_unit_power_kw=draw(numbers(5, 40, 0)),
        turbine_power_kw=common["discharge_power_kw"],
        min_turbine_power_kw=common["min_discharge_power_kw"],
        pump_efficiency=common["charge_efficiency"],
        turbine_efficiency=common["discharge_efficiency"],
        inflow=draw(st.sampled_from([None, NOWHERE])),
        pump_cost_per_start=draw(numbers(0, 1)),
        min_idle_minutes=draw(st.sampled_from([0.0, 60.0])),
    )


@st.composite
def cases(draw):
    asset, states = draw(stores()), {}
    is_hydro = isinstance(asset, PumpedHydro)
    count = draw(st.integers(1, 4 if is_hydro else 5))
    if draw(st.booleans()):
        share = draw(numbers(asset.min_soc_fraction, asset.max_soc_fraction))
        states = {"one": State(share * asset.energy_capacity_kwh)}
    reserves = ()
    if draw(st.booleans()):
        held = draw(st.lists(st.sampled_from([0.0, 5.0]), min_size=count, max_size=count))
        rule = {"energy_up_h": draw(numbers(0, 1)), "energy_down_h": draw(numbers(0, 1))}
        at = {"at_start": draw(st.booleans()), "at_end": draw(st.booleans())}
        reserves = (Reserve("fcr", "symmetric", tuple(held), **rule, **at, includes_losses=draw(st.booleans())),)
    found = problem(
        [asset],
        draw(st.lists(numbers(-60, 150), min_size=count, max_size=count)),
        step_minutes=draw(st.sampled_from([30, 60])),
        import_limit_kw=draw(st.sampled_from([60.0, 1000.0])),
        export_limit_kw=draw(st.sampled_from([40.0, 1000.0])),
        states=states,
        reserves=reserves,
    )
    if not is_hydro or asset.inflow is None:
        return found
    inflow = draw(st.lists(numbers(0, 0.05, 3), min_size=count, max_size=count))
    return replace(found, series={("one", "inflow"): tuple(inflow)})


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(case=cases())
def test_no_way_of_switching_earns_more_than_the_plan(case):
    best = best_net(case)
    try:
        made = plan(case, CREATED)
    except InfeasibleError:
        assert best is None
        return
    assert (best is None) == bool(made.repairs)
    assert best is None or made.money.net == pytest.approx(best, abs=1e-5)


def running(made, name="flow"):
    """A plan as letters: `c`harges, `d`ischarges, `-` rests."""
    (flows,) = [schedule.flows for schedule in made.schedules if schedule.asset_id == name]
    return "".join(
        "c" if c else "d" if d else "-" for c, d in zip(flows["is_charging"], flows["is_discharging"], strict=True)
    )


def test_a_flow_battery_stays_off_until_the_spread_pays_its_pumps():
    """One hour in and one out at 100 kW: 10 kW of pumps in both hours, at 50 and at p, against 100 kWh of spread.

    Off earns nothing; on earns 0.1·(p − 50) − 0.01·(50 + p), which is 0 at p = 61.11.
    """
    asset = flow(pump_load_kw=10.0, min_charge_power_kw=20.0, min_discharge_power_kw=20.0, initial_soc_fraction=0.0)
    assert running(plan(problem([asset], [50, 61.11]), CREATED)) == "--"
    made = plan(problem([asset], [50, 61.12]), CREATED)
    assert running(made) == "cd"
    assert made.money.net == pytest.approx(0.1 * 11.12 - 0.01 * 111.12)
    assert made.schedules[0].export_kw == (-110, 90)


def test_an_hour_on_is_paid_in_both_directions():
    """Spread of 20 over 100 kWh earns 2.00; two hours on at 1.00 take it all, at 0.99 they leave 0.02."""
    asset = flow(on_cost_per_h=0.99, initial_soc_fraction=0.0)
    made = plan(problem([asset], [50, 70]), CREATED)
    assert running(made) == "cd"
    assert (made.money.wear, made.money.net) == (pytest.approx(-1.98), pytest.approx(0.02))
    assert running(plan(problem([asset.model_copy(update={"on_cost_per_h": 1.01})], [50, 70]), CREATED)) == "--"


def test_energy_that_leaks_through_the_stacks_is_lost_while_the_pumps_run_and_not_at_rest():
    """An hour of charging at 100 kW leaves 96 kWh, all that fits; an hour at rest changes nothing; then 92 come out."""
    asset = flow(energy_capacity_kwh=96.0, shunt_loss_kw=4.0, initial_soc_fraction=0.0, min_charge_power_kw=100.0)
    made = plan(problem([asset], [50, 80, 90]), CREATED)
    assert running(made) == "c-d"
    assert made.schedules[0].stored_kwh == (96, 96, 0)
    assert made.schedules[0].export_kw == (-100, 0, 92)


def test_a_start_that_costs_more_than_a_second_cycle_earns_prevents_it():
    """Prices 20, 60, 20, 60: a cycle of 100 kWh earns 4.00, two earn 8.00. A start costs 4.01 or 3.99."""
    prices = [20, 60, 20, 60]
    dear = caes("caes", discharge_cost_per_start=4.01, initial_soc_fraction=0.0)
    made = plan(problem([dear], prices), CREATED)
    assert running(made, "caes").count("d") == 0
    cheap = caes("caes", discharge_cost_per_start=3.99, initial_soc_fraction=0.0)
    made = plan(problem([cheap], prices), CREATED)
    assert running(made, "caes") == "cdcd"
    assert made.money.wear == pytest.approx(-7.98)


def test_a_machine_that_ran_when_the_plan_begins_needs_no_start():
    asset = caes(discharge_cost_per_start=1.5, min_discharge_power_kw=100.0, final_soc_fraction=0.0)
    at_rest = problem([asset], [10], states={"caes": State(100.0)})
    under_way = problem([asset], [10], states={"caes": State(100.0, export_kw=100.0)})
    assert plan(at_rest, CREATED).money.net == 0
    assert plan(under_way, CREATED).money.net == pytest.approx(1.0)


def test_a_machine_runs_above_its_minimum_load_or_not_at_all():
    asset = caes(min_discharge_power_kw=40.0, initial_soc_fraction=0.075, final_soc_fraction=0.0)
    made = plan(problem([asset], [50.0]), CREATED)
    assert made.schedules[0].export_kw == (0,)
    full = plan(problem([asset.model_copy(update={"initial_soc_fraction": 0.1})], [50.0]), CREATED)
    assert full.schedules[0].export_kw == (40,)


@pytest.mark.parametrize(("minutes", "expected"), [(0, "cd"), (15, "c-d"), (30, "c--d"), (31, "c---d"), (75, None)])
def test_it_rests_between_charging_and_discharging(minutes, expected):
    """Cheap quarter-hours, then one that is dear later and later: it can wait as long as it must."""
    asset = caes(min_idle_minutes=float(minutes), min_charge_power_kw=100.0, initial_soc_fraction=0.0)
    wait = 4 if expected is None else len(expected) - 2
    made = plan(problem([asset], [10.0, *[30.0] * wait, 90.0], step_minutes=15), CREATED)
    assert running(made, "caes") == (expected or "-" * (wait + 2))


@pytest.mark.parametrize(("ran_kw", "prices", "expected"), [(-80, [90, 80, 70, 60], "--dd"), (80, [-9] * 4, "--cc")])
def test_what_ran_before_the_plan_begins_is_rested_from_too(ran_kw, prices, expected):
    asset = caes(min_idle_minutes=30.0, initial_soc_fraction=0.5, final_soc_fraction=0.0)
    before = {"caes": State(200.0, export_kw=ran_kw)}
    made = plan(problem([asset], prices, step_minutes=15, states=before), CREATED)
    assert running(made, "caes") == expected


def test_a_store_at_rest_holds_no_reserve_and_one_that_runs_holds_what_its_range_leaves():
    asset = flow(min_discharge_power_kw=30.0, min_charge_power_kw=30.0, final_soc_fraction=0.0)
    held = Reserve("fcr", "symmetric", (35.0,), energy_up_h=0.25, energy_down_h=0.25)
    made = plan(problem([asset], [50.0], reserves=(held,)), CREATED)
    assert running(made) == "d"
    assert made.schedules[0].export_kw == (65,)
    too_much = Reserve("fcr", "symmetric", (35.1,), energy_up_h=0.25, energy_down_h=0.25)
    (repair,) = plan(problem([asset], [50.0], reserves=(too_much,)), CREATED).repairs
    assert repair.amount == pytest.approx(0.1, abs=1e-5)


def test_each_of_several_stores_of_one_template_has_whole_machines():
    """The second and third are told apart by numbers alone; all their binaries must be whole."""
    assets = [flow(f"flow{k}", pump_load_kw=5.0 + k, min_charge_power_kw=30.0) for k in range(3)]
    made = plan(problem(assets, [20, 90, 30, 80], import_limit_kw=150, export_limit_kw=150), CREATED)
    for schedule in made.schedules:
        assert set(schedule.flows["is_charging"]) <= {0, 1}


def test_a_battery_beside_it_still_goes_one_way_under_negative_prices():
    """The battery's directions are decided one by one while the flow battery's machines are whole from the start."""
    asset = flow(pump_load_kw=5.0, min_charge_power_kw=50.0, charge_efficiency=0.8)
    store = battery(charge_efficiency=0.8, discharge_efficiency=0.8, final_soc_max_fraction=0.5)
    made = plan(problem([asset, store], [-50.0] * 6 + [40.0] * 2), CREATED)
    flows = made.schedules[1].flows
    assert np.minimum(flows["charge_kw"], flows["discharge_kw"]).max() == 0
    assert made.gap_fraction <= 1e-6


def test_it_is_planned_again_from_a_measured_energy_outside_its_window():
    asset = flow(min_soc_fraction=0.2, max_soc_fraction=0.8, min_charge_power_kw=20.0, shunt_loss_kw=1.0)
    rolling = Rolling()
    for measured_kwh in (10.0, 200.0, 395.0):
        given_ = problem([asset], [20, 60, 30, 80], states={"flow": State(measured_kwh)})
        for made in (plan(given_, CREATED), rolling.plan(given_, CREATED)):
            assert made.verification.passed
            assert min(made.schedules[0].stored_kwh) >= min(measured_kwh, 80)
            assert max(made.schedules[0].stored_kwh) <= max(measured_kwh, 320)


def test_a_wanted_power_below_the_minimum_load_is_refused_by_its_name():
    """Beside a battery and behind a tight connection, whose limits have nothing to do with it."""
    asset = caes(min_discharge_power_kw=40.0)
    whole = problem([asset, battery()], [20, 60, 30, 80], import_limit_kw=150, export_limit_kw=150)
    found = contrast(whole, Wanted("caes", 3, 20.0), CREATED)
    assert found.plan is None
    assert "lowest discharge power" in {conflict.limit for conflict in found.conflicts}
    assert {conflict.owner for conflict in found.conflicts} == {"caes"}
    assert found.nearest_kw in (0, 40)
    assert contrast(whole, Wanted("caes", 3, 40.0), CREATED).plan.schedules[0].export_kw[3] == 40


def test_a_machine_that_is_not_worth_a_start_is_said_to_rest_for_that():
    """A cycle of 100 kWh in the second half earns 1.00, and either start would take 0.60 of it."""
    asset = caes(charge_cost_per_start=0.6, discharge_cost_per_start=0.6, max_soc_fraction=0.5, final_soc_fraction=0.25)
    made = explained(problem([asset], [50, 40, 50]), CREATED)
    assert running(made, "caes") == "d--"
    assert Because.OFF in {reason.because for reason in reasons(made, made.schedules[0])[1:]}


def test_a_lowest_power_above_the_rating_is_refused():
    with pytest.raises(ValueError, match="must be at most charge_power_kw, which is 100"):
        flow(min_charge_power_kw=101.0)
    with pytest.raises(ValueError, match="must be at most discharge_power_kw, which is 100"):
        caes(min_discharge_power_kw=101.0)


@pytest.mark.parametrize(
    ("load_kw", "named"),
    [(20.0, set()), (500.0, {"import limit", "discharge power", "critical load"})],
)
def test_limits_that_only_decisions_contradict_are_looked_for_so_long_only(monkeypatch, load_kw, named):
    """10 kW from the grid and none to it: a machine of at least 40 kW is too much for 20 kW, and too little for 500."""
    monkeypatch.setattr("optimizer.highs.CONFLICT_S", 0.0)
    asset, needs = caes(min_discharge_power_kw=40.0), {"load1": [0.0, load_kw, 0.0, 0.0]}
    whole = problem([asset, load()], [20, 60, 30, 80], series=needs, import_limit_kw=10, export_limit_kw=0)
    with pytest.raises(InfeasibleError) as refused:
        plan(whole, CREATED)
    assert refused.value.is_certain
    assert {conflict.limit for conflict in refused.value.conflicts} == named
    assert ("but not which limits contradict" in contradiction(refused.value, 3)) is (not named)
