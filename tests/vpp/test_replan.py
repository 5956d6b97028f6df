"""`vpp plan --now T --state FILE`: the rest of a day, from what was measured."""

import json

import pytest

from tests.sites import P24
from tests.vpp.command import files_in
from tests.vpp.plan_files import read_plan
from tests.vpp.site_folder import DAY, MISSING, changed, hourly, write_site

NOW = "2026-11-23T06:20:00Z"


@pytest.fixture
def replan(vpp, folder):
    """Re-plan the small site from now on, from a state."""

    def run(state, *options, now=NOW, site=None):
        path = folder / "state.json"
        path.write_text(state if isinstance(state, str) else json.dumps(state))
        site = site or write_site(folder)
        return vpp("plan", site, "--now", now, "--state", path, *options)

    return run


def test_the_rest_of_the_day_starts_from_what_was_measured(replan, folder):
    told = replan({"bess1": {"stored_kwh": 30.0}}, "--json")
    horizon = told.document["horizon"]
    assert (horizon["start_utc"], horizon["count"], horizon["first_step_s"]) == (NOW, 18, 2400)
    made = read_plan(folder / "out")
    assert made.starts[:3] == [NOW, "2026-11-23T07:00:00Z", "2026-11-23T08:00:00Z"]
    first = made.of("bess1")[0]
    power, step_h = first["export_kw"], 2400 / 3600
    gained = -power * 0.95 if power < 0 else -power / 0.95
    assert first["stored_kwh"] == pytest.approx(30 + gained * step_h)
    energy = sum(
        kw * price * h / 1000
        for kw, price, h in zip(made.site_export_kw(), P24[6:], [step_h, *[1.0] * 17], strict=True)
    )
    assert told.document["objective"]["energy"] == pytest.approx(energy)


@pytest.mark.parametrize("now", ["2026-11-23T14:20:00+08:00", "2026-11-23T06:20:00.999Z", "2026-11-23T01:20:00-05:00"])
def test_an_instant_may_be_written_in_any_zone(replan, folder, now):
    told = replan({"bess1": {"stored_kwh": 30.0}}, "--json", now=now)
    assert told.document["horizon"]["start_utc"] == NOW
    assert read_plan(folder / "out").starts[1] == "2026-11-23T07:00:00Z"


def test_a_plan_from_the_first_instant_is_the_plan_of_the_day(replan, vpp, folder):
    of_the_day = vpp("plan", write_site(folder), "--json").document["objective"]
    assert (
        replan({"bess1": {"stored_kwh": 100.0}}, "--json", now=f"{DAY}T00:00:00Z").document["objective"] == of_the_day
    )


def test_a_fuller_store_earns_more(replan):
    nets = [replan({"bess1": {"stored_kwh": kwh}}, "--json").document["objective"]["net"] for kwh in (100, 150, 200)]
    assert nets == sorted(nets)
    assert nets[0] < nets[-1]


def test_energy_discharged_since_midnight_counts_against_the_daily_limit(replan, folder):
    site = write_site(folder, changed((("assets", 0, "daily_discharge_limit_kwh"), 150)))
    for already, left in ((0, 150), (100, 50), (200, 0)):
        told = replan({"bess1": {"stored_kwh": 100, "discharged_today_kwh": already}}, site=site)
        assert told.code == 0, told.err
        made = read_plan(folder / "out")
        hours = [2400 / 3600, *[1.0] * 17]
        discharged = sum(max(0.0, row["export_kw"]) * h for row, h in zip(made.of("bess1"), hours, strict=True))
        assert discharged <= left + 1e-6


DEMAND = {"id": "demand", "kind": "peak", "of": "import", "price_per_kw": 7, "period": "month", "so_far_kw": 10}
TIERS = [{"up_to_kwh": 100, "price_per_mwh": 10}, {"price_per_mwh": 110}]
BLOCKS = {"id": "blocks", "kind": "energy", "of": "import", "period": "month", "tiers": TIERS}
LEVY = {"id": "levy", "kind": "energy", "of": "import", "price_per_mwh": 5, "group": "levy"}


def under_tariff(folder, *entries, minutes=60):
    """A load of 60 kW, for 12 h, under a tariff."""
    load = hourly("load_kw", [0.0] * 6 + [60.0] * 12 + [0.0] * 6)
    step = (("site", "step_minutes"), minutes)
    return write_site(folder, changed((("assets", 0), MISSING), (("tariff",), list(entries)), step), load=load)


@pytest.mark.parametrize(("measured_kw", "paid"), [(None, 350.0), (45, 105.0), (60, 0.0), (80, 0.0)])
def test_a_plan_pays_for_nothing_up_to_the_measured_peak(replan, folder, measured_kw, paid):
    state = {} if measured_kw is None else {"tariff": {"demand": {"so_far_kw": measured_kw}}}
    told = replan(state, "--json", site=under_tariff(folder, DEMAND)).document
    assert told["objective"]["tariff"] == pytest.approx(-paid)


def test_the_energy_of_a_running_average_is_part_of_it(replan, folder):
    # 06:20: 60 kW for the rest of the hour are 40 kWh, and 50 kWh before make an average of 90 kW.
    state = {"tariff": {"demand": {"average_so_far_kwh": 50}}}
    site = under_tariff(folder, DEMAND | {"average_minutes": 60})
    assert replan(state, "--json", site=site).document["objective"]["tariff"] == pytest.approx(-7 * (90 - 10))


def test_measured_energy_fills_the_blocks(replan, folder):
    # From 06:20 on 700 kWh, of which the first block takes what the measured energy left of it.
    for measured_kwh, cheap_kwh in ((0, 100), (70, 30), (130, 0)):
        state = {"tariff": {"blocks": {"so_far_kwh": measured_kwh}}}
        told = replan(state, "--json", site=under_tariff(folder, BLOCKS)).document
        assert told["objective"]["tariff"] == pytest.approx(-(cheap_kwh * 10 + (700 - cheap_kwh) * 110) / 1000)


def test_a_deep_cycle_that_has_begun_costs_more_than_one_that_was_not_known(replan, folder):
    law = {"replacement_cost_per_kwh": 100, "cycle_life_count": 4000, "depth_exponent": 2, "segment_count": 4}
    drain = [(("assets", 0, "final_soc_fraction"), 0), (("assets", 0, "initial_soc_fraction"), 0.5)]
    ageing = [(("assets", 0, "throughput_cost_per_mwh"), MISSING), (("assets", 0, "ageing"), law)]
    site = write_site(folder, changed(*drain, *ageing), prices=hourly("price_per_mwh", [500.0] * 24))
    # 100 kWh are sold, from segments of 50 kWh: the shallowest two; the deepest two, once the store was full; or, where
    # it was charged again after that, the shallowest and the deepest.
    for before, segments in (([], (1, 2)), ([200], (3, 4)), ([200, 50], (1, 4))):
        told = replan({"bess1": {"stored_kwh": 100, "stored_before_kwh": before}}, "--json", site=site).document
        life_used = sum((k / 4) ** 2 - ((k - 1) / 4) ** 2 for k in segments) / 4000
        assert told["objective"]["wear"] == pytest.approx(-100 * 200 * life_used)


def test_a_store_may_be_called_tariff(replan, folder):
    site = write_site(folder, changed((("assets", 0, "id"), "tariff")))
    assert replan({"tariff": {"stored_kwh": 100}}, site=site).code == 0


TARIFF_FAULTS = {
    "an unknown entry": ({"demnad": {"so_far_kw": 1}}, "demnad", "not an entry", 'Did you mean "demand"?'),
    "a fee without blocks": ({"levy": {"so_far_kwh": 1}}, "levy", "counts nothing", "Leave it out."),
    "energy of a peak": ({"demand": {"so_far_kwh": 1}}, "demand.so_far_kwh", "means nothing for a peak", "Known: so_f"),
    "a peak of energy": ({"blocks": {"so_far_kw": 1}}, "blocks.so_far_kw", "means nothing for energy", "Known: so_far"),
    "less than nothing": ({"demand": {"so_far_kw": -1}}, "demand.so_far_kw", "must be at least 0", ""),
    "a word": ({"demand": {"so_far_kw": "much"}}, "demand.so_far_kw", "must be a number", ""),
    "an unknown key": ({"demand": {"sofar_kw": 1}}, "demand.sofar_kw", "not a known key", 'Did you mean "so_far_kw"?'),
    "a number for a section": ({"demand": 5}, "demand", "must be a section", ""),
    "an average just begun": ({"demand": {"average_so_far_kwh": 3}}, "demand.average_so_far_kwh", "begins", "Leave it"),
}


@pytest.mark.parametrize("name", TARIFF_FAULTS)
def test_what_a_tariff_cannot_have_counted_is_refused(replan, folder, name):
    counted, place, told, remedy = TARIFF_FAULTS[name]
    site = under_tariff(folder, DEMAND, BLOCKS, LEVY, minutes=15)
    (fault,) = replan({"tariff": counted}, "--json", site=site, now="2026-11-23T06:15:00Z").faults
    assert (fault["file"], fault["path"]) == (str(folder / "state.json"), f"tariff.{place}")
    assert told in fault["problem"]
    assert remedy in fault["remedy"]


def test_an_average_shorter_than_a_step_has_no_energy_so_far(replan, folder):
    state = {"tariff": {"demand": {"average_so_far_kwh": 3}}}
    (fault,) = replan(state, "--json", site=under_tariff(folder, DEMAND)).faults
    assert fault["path"] == "tariff.demand.average_so_far_kwh"
    assert fault["problem"] == "cannot be used: averages of 15 minutes are planned as steps of 60"


FAULTS = {
    "an unknown store": ({"bess1": {"stored_kwh": 1}, "bess2": {"stored_kwh": 1}}, "bess2", "not a store of this site"),
    "an asset that stores nothing": ({"bess1": {"stored_kwh": 1}, "base": {"stored_kwh": 1}}, "base", "not a store"),
    "no measurement": ({}, "bess1", "no measured energy"),
    "more than it holds": ({"bess1": {"stored_kwh": 201}}, "bess1.stored_kwh", "must be 0 to 200"),
    "more than it ever held": (
        {"bess1": {"stored_kwh": 1, "stored_before_kwh": [5, 201]}}, "bess1.stored_before_kwh[1]", "must be 0 to 200"
    ),
    "a number for a list": ({"bess1": {"stored_kwh": 1, "stored_before_kwh": 5}}, "bess1.stored_before_kwh", "a list"),
    "less than nothing": ({"bess1": {"stored_kwh": -1}}, "bess1.stored_kwh", "must be at least 0"),
    "a word": ({"bess1": {"stored_kwh": "full"}}, "bess1.stored_kwh", "must be a number"),
    "NaN": ("{bess1: {stored_kwh: .nan}}", "bess1.stored_kwh", "must be a finite number"),
    "an unknown key": ({"bess1": {"stored_kwh": 1, "soc": 0.5}}, "bess1.soc", "not a known key"),
    "a number for a section": ({"bess1": 5}, "bess1", "must be a section"),
    "a list": ([], "", "must be a section"),
    "nothing": ("", "", "must be a section"),
    "no JSON": ("{bess1: ", "", "not YAML"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_state_that_cannot_be_is_refused(replan, folder, name):
    state, place, told = FAULTS[name]
    site = write_site(folder)
    there = files_in(folder) | {"state.json"}
    (fault,) = replan(state, "--json", site=site).faults
    assert fault["file"] == str(folder / "state.json")
    assert fault["path"] == place
    assert told in fault["problem"]
    assert files_in(folder) == there


def test_faults_of_the_state_and_of_the_series_are_found_at_once(replan, folder):
    site = write_site(folder, prices="start_utc,price_per_mwh\n2026-11-23T00:00:00Z,1\n2026-11-23T01:00:00Z,1\n")
    faults = replan({"bess2": {"stored_kwh": 1}}, "--json", site=site).faults
    assert {fault["path"] for fault in faults} == {"markets[0].prices.file", "bess2", "bess1"}


def test_a_missing_state_file_is_named(vpp, folder):
    told = vpp("plan", write_site(folder), "--now", NOW, "--state", "none.json", "--json")
    (fault,) = told.faults
    assert (fault["file"], fault["problem"]) == ("none.json", "cannot be read: No such file or directory")


def test_a_site_without_stores_needs_an_empty_state(replan, folder):
    site = write_site(folder, changed((("assets", 0), MISSING)))
    assert replan({}, site=site).code == 0
