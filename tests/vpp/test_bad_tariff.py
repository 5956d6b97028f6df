"""Whatever is wrong with a tariff is named, with its place, its value and what is allowed."""

import pytest

from tests.vpp.site_folder import MISSING, changed, write_site

FEE = {"id": "fee", "kind": "energy", "of": "import", "price_per_mwh": 45}
PEAK = {"id": "demand", "kind": "peak", "of": "import", "price_per_kw": 7, "period": "month", "average_minutes": 60}
TIERS = [{"up_to_kwh": 100, "price_per_mwh": 40}, {"price_per_mwh": 50}]
AT = "tariff[0]"
CASES = {
    "an unknown key": (FEE | {"price_per_kwh": 0.1}, f"{AT}.price_per_kwh", "0.1", 'Did you mean "price_per_mwh"?'),
    "an unknown kind": (FEE | {"kind": "enrgy"}, f"{AT}.kind", '"enrgy"', "not a known kind"),
    "no kind": ({"id": "fee", "of": "import"}, f"{AT}.kind", "–", "kind is required"),
    "a peak with no period": ({k: v for k, v in PEAK.items() if k != "period"}, f"{AT}.period", "–",
                              "period is required"),
    "a period that is none": (PEAK | {"period": "weekly"}, f"{AT}.period", '"weekly"', "one of day, month, year"),
    "no direction": ({k: v for k, v in FEE.items() if k != "of"}, f"{AT}.of", "–", "of is required"),
    "a negative price": (FEE | {"price_per_mwh": -1}, f"{AT}.price_per_mwh", "-1", "must be at least 0"),
    "a negative price of a peak": (PEAK | {"price_per_kw": -7}, f"{AT}.price_per_kw", "-7", "must be at least 0"),
    "a price that is no number": (FEE | {"price_per_mwh": "much"}, f"{AT}.price_per_mwh", '"much"', "a number"),
    "a fee without a price": ({"id": "fee", "kind": "energy", "of": "import"}, AT, "{…}",
                              "needs price_per_mwh or tiers"),
    "a price beside tiers": (FEE | {"tiers": TIERS, "period": "month"}, AT, "{…}", "and has both"),
    "tiers without a period": ({"id": "fee", "kind": "energy", "of": "import", "tiers": TIERS}, AT, "{…}",
                               "has tiers and no period"),
    "a period without tiers": (FEE | {"period": "month"}, AT, "{…}", "mean nothing without tiers"),
    "tiers that do not rise": (PEAK | {"price_per_kw": None, "tiers": [{"up_to_kw": 50, "price_per_kw": 1},
                               {"up_to_kw": 20, "price_per_kw": 2}, {"price_per_kw": 3}]}, AT, "{…}",
                               "tier 1 does not end before tier 2"),
    "tiers that end": (PEAK | {"price_per_kw": None, "tiers": [{"up_to_kw": 50, "price_per_kw": 1}]}, AT, "{…}",
                       "leaves open what more costs"),
    "a share of nothing": (PEAK | {"earlier_peak_kw": 90}, f"{AT}.earlier_peak_kw", "90",
                           "means nothing without ratchet_fraction"),
    "a ratchet in per cent": (PEAK | {"ratchet_fraction": 80}, f"{AT}.ratchet_fraction", "80", "Write 0.8."),
    "a ratchet of days": (PEAK | {"period": "day", "ratchet_fraction": 0.8}, AT, "{…}", "counts months"),
    "a negative peak so far": (PEAK | {"so_far_kw": -1}, f"{AT}.so_far_kw", "-1", "must be at least 0"),
    "an odd average": (PEAK | {"average_minutes": 7}, f"{AT}.average_minutes", "7", "one of 1, 2, 3"),
    "a month that is none": (FEE | {"when": {"months": [0, 12]}}, f"{AT}.when.months[0]", "0", "1 to 12"),
    "three months": (FEE | {"when": {"months": [1, 2, 3]}}, f"{AT}.when.months", "[…]", "must be two months"),
    "a weekday that is none": (FEE | {"when": {"weekdays": ["mon", "tues"]}}, f"{AT}.when.weekdays[1]", '"tues"',
                               'Did you mean "tue"?'),
    "no weekday": (FEE | {"when": {"weekdays": []}}, f"{AT}.when.weekdays", "[…]", "must name a day"),
    "a word that is no days": (FEE | {"when": {"weekdays": "workdays"}}, f"{AT}.when.weekdays", '"workdays"',
                               'Did you mean "weekdays"?'),
    "an hour that is none": (FEE | {"when": {"hours": "07:00-25:00"}}, f"{AT}.when.hours", '"07:00-25:00"',
                             'must be from and to, such as "07:00-23:00"'),
    "an hour after midnight": (FEE | {"when": {"hours": "07:00-24:30"}}, f"{AT}.when.hours", '"07:00-24:30"',
                               "must be from and to"),
    "hours that are one hour": (FEE | {"when": {"hours": "7-9"}}, f"{AT}.when.hours", '"7-9"', "two digits"),
    "a window of nothing": (FEE | {"when": {"hours": "07:00-07:00"}}, f"{AT}.when.hours", '"07:00-07:00"',
                            "begins when it ends"),
    "hours within a step": (FEE | {"when": {"hours": "07:30-09:00"}}, f"{AT}.when.hours", '"07:30-09:00"',
                            "must begin and end with a step, every 60 minutes"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_fault_of_a_tariff_is_named_with_what_is_allowed(vpp, folder, name):
    entry, place, written, allowed = CASES[name]
    site = write_site(folder, changed((("tariff",), [{k: v for k, v in entry.items() if v is not None}])))
    told = vpp("check", site, "--json")
    assert told.code == 2
    (fault,) = told.faults
    assert (fault["path"], fault["value"]) == (place, written)
    assert allowed in f"{fault['problem']} {fault['remedy']}"


def faults(vpp, folder, *tariff, **changes):
    values = changed((("tariff",), list(tariff)), *((("site", key), value) for key, value in changes.items()))
    told = vpp("check", write_site(folder, values), "--json")
    return [(fault["path"], f"{fault['problem']}. {fault['remedy']}") for fault in told.faults] if told.code else []


def window(name, price=45, group=MISSING, **when):
    given = FEE | {"id": name, "price_per_mwh": price, "when": when}
    return given if group is MISSING else given | {"group": group}


def test_windows_of_one_price_that_overlap_contradict_each_other(vpp, folder):
    ((path, words),) = faults(
        vpp, folder, window("peak", 90, hours="08:00-22:00"), window("valley", 20, hours="21:00-06:00")
    )
    assert path == "tariff[1].when"
    assert 'overlaps "peak" (line ' in words
    assert "such as on a Monday in January at 21:00: two prices for the same energy" in words
    assert "give one of them a group of its own" in words


def test_windows_that_meet_in_one_month_alone_contradict_each_other(vpp, folder):
    ((_, words),) = faults(vpp, folder, window("winter", months=[10, 3]), window("spring", months=[3, 6]))
    assert "a Monday in March at 00:00" in words


def test_fees_of_different_groups_and_of_different_directions_add_up(vpp, folder):
    entries = [window("grid"), window("levy", 5, group="levy"), FEE | {"id": "out", "of": "export"}]
    assert faults(vpp, folder, *entries) == []


def test_windows_that_only_touch_are_no_fault(vpp, folder):
    day, night = window("day", hours="06:00-22:00"), window("night", hours="22:00-06:00")
    assert faults(vpp, folder, day, night) == []


def test_a_named_group_that_leaves_an_hour_out_is_refused(vpp, folder):
    day = window("day", group="grid", hours="06:00-22:00", weekdays="weekdays")
    night = window("night", group="grid", hours="22:00-06:00")
    ((path, words),) = faults(vpp, folder, day, night)
    assert path == "tariff[0].group"
    assert "none on a Saturday in January at 06:00" in words
    assert "price_per_mwh: 0" in words
    weekend = window("weekend", 0, group="grid", hours="06:00-22:00", weekdays="weekends")
    assert faults(vpp, folder, day, night, weekend) == []


def test_two_entries_of_one_id_are_refused(vpp, folder):
    ((path, words),) = faults(vpp, folder, FEE, PEAK | {"id": "fee"})
    assert path == "tariff[1].id"
    assert "already the id of an entry (line " in words


def test_an_average_that_is_no_whole_number_of_steps_is_refused(vpp, folder):
    values = changed((("tariff",), [PEAK | {"average_minutes": 30}]), (("site", "step_minutes"), 20))
    (fault,) = vpp("check", write_site(folder, values), "--json").faults
    assert (fault["path"], fault["value"]) == ("tariff[0].average_minutes", "30")
    assert "no whole number of the site's steps of 20 minutes" in fault["problem"]


def test_hours_within_an_average_are_refused(vpp, folder):
    values = changed((("tariff",), [PEAK | {"when": {"hours": "07:30-20:00"}}]), (("site", "step_minutes"), 15))
    (fault,) = vpp("check", write_site(folder, values), "--json").faults
    assert fault["path"] == "tariff[0].when.hours"
    assert "must begin and end with an average, every 60 minutes" in fault["problem"]


def test_every_fault_of_a_tariff_is_found_in_one_go(vpp, folder):
    found = faults(
        vpp, folder,
        FEE | {"price_per_mwh": -1},
        PEAK | {"period": "week", "average_minutes": 7},
        window("peak", hours="08:00-22:00"),
        window("valley", hours="20:00-06:00"),
        window("odd", hours="06:10-07:00"),
    )  # fmt: skip
    assert [path for path, _ in found] == [
        "tariff[0].price_per_mwh", "tariff[1].period", "tariff[1].average_minutes", "tariff[3].when",
        "tariff[4].when.hours",
    ]  # fmt: skip


def test_an_average_shorter_than_a_step_is_planned_and_said(vpp, folder):
    told = vpp("check", write_site(folder, changed((("tariff",), [PEAK | {"average_minutes": 15}]))))
    assert told.code == 0, told.err
    assert "tariff[0]: demand" in told.out
    assert "an average of 60 min stands for one of 15 min" in " ".join(told.out.split())
    assert "approximate" in told.out
