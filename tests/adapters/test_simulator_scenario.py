"""A scenario file is refused with all its faults, or does what it says."""

from math import inf

import pytest
from pydantic import ValidationError

from adapters.scenario import Scenario
from tests.adapters.bench import store
from vpp.domain.unit import Fallback, Kind, Unit

GENERATOR = Unit("pv1", Kind.GENERATION, 0.0, 100.0, is_controllable=True, ramp_kw_per_s=inf, fallback=Fallback.HOLD)
LOAD = Unit("base", Kind.CONSUMPTION, inf, 0.0, is_controllable=False, ramp_kw_per_s=inf, fallback=Fallback.HOLD)
UNITS = (store(), GENERATOR, LOAD)
ALL_FAULTS = [
    *({"fault": name} for name in ("silent", "stuck", "refuse", "ignore", "garbage", "duplicated", "out_of_order")),
    *({"fault": name} for name in ("trip", "disconnect", "gain", "reboot", "wrong_unit")),
    {"fault": "soc_jump", "by_fraction": -0.2},
    {"fault": "late", "delay_s": 3},
    {"fault": "clock_offset", "offset_s": -60},
]


def scenario(**sections):
    return Scenario.model_validate({"schema_version": 1} | sections)


def test_every_fault_can_be_written_for_a_store():
    made = scenario(faults=[{"asset": "bess1", "at_s": 5} | fault for fault in ALL_FAULTS])
    assert len(made.faults) == 15
    assert list(made.misplaced(UNITS)) == []
    assert made.faults_of("bess1") == tuple(made.faults)
    assert made.faults_of("pv1") == ()


@pytest.mark.parametrize("name", ["sillent", "", "cloud", None, 3])
def test_an_unknown_fault_is_refused_with_the_names_that_are_known(name):
    with pytest.raises(ValidationError, match="soc_jump"):
        scenario(faults=[{"asset": "bess1", "at_s": 0, "fault": name}])


def test_all_faults_of_a_file_are_named_at_once():
    with pytest.raises(ValidationError) as caught:
        Scenario.model_validate(
            {
                "schema_version": 2,
                "sed": 1,
                "events": [{"asset": "pv1", "at_s": -1, "event": "cloud", "share": 1.5}],
                "faults": [
                    {"asset": "bess1", "at_s": "ten", "fault": "late"},
                    {"asset": "bess1", "at_s": float("nan"), "for_s": 0, "fault": "silent", "delay_s": 1},
                ],
            }
        )
    places = {".".join(map(str, detail["loc"])) for detail in caught.value.errors()}
    assert places == {
        "schema_version",
        "sed",
        "events.0.cloud.at_s",
        "events.0.cloud.share",
        "faults.0.late.at_s",
        "faults.0.late.delay_s",
        "faults.1.silent.at_s",
        "faults.1.silent.for_s",
        "faults.1.silent.delay_s",
    }


def test_what_cannot_happen_at_a_site_is_named_with_its_place():
    made = scenario(
        events=[
            {"asset": "bess1", "at_s": 0, "event": "cloud", "share": 0.5},
            {"asset": "pv1", "at_s": 0, "event": "load_step", "kw": 10},
        ],
        faults=[
            {"asset": "nobody", "at_s": 0, "fault": "silent"},
            {"asset": "base", "at_s": 0, "fault": "refuse"},
            {"asset": "pv1", "at_s": 0, "fault": "soc_jump", "by_fraction": 0.1},
            {"asset": "base", "at_s": 0, "fault": "trip"},
        ],
    )
    assert [(one.path[:2], one.value) for one in made.misplaced(UNITS)] == [
        (("events", 0), "bess1"),
        (("events", 1), "pv1"),
        (("faults", 0), "nobody"),
        (("faults", 1), "base"),
        (("faults", 2), "pv1"),
    ]


def test_a_cloud_leaves_its_share_for_its_time():
    made = scenario(events=[{"asset": "pv1", "at_s": 60, "for_s": 30, "event": "cloud", "share": 0.25}])
    power_kw = made.available_kw("pv1", lambda _: 80.0, 1000.0)
    assert [power_kw(s) for s in (1059.9, 1060, 1089.9, 1090)] == [80, 20, 20, 80]


def test_a_load_step_adds_to_the_demand_to_the_end():
    made = scenario(events=[{"asset": "base", "at_s": 60, "event": "load_step", "kw": -30}])
    power_kw = made.available_kw("base", lambda utc_s: utc_s / 10, 1000.0)
    assert [power_kw(s) for s in (1000, 1060, 9000)] == [100, 76, 870]


def test_what_no_event_touches_stays_itself():
    made = scenario(events=[{"asset": "pv1", "at_s": 60, "event": "cloud", "share": 0.25}])

    def undisturbed_kw(_utc_s):
        return 1.0

    assert made.available_kw("base", undisturbed_kw, 0.0) is undisturbed_kw
