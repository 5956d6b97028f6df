"""What the grid charges stands in plan.json, in the terminal and in the page, entry by entry."""

import json
import re
from datetime import timedelta

import pytest

from tests.vpp.command import ROOT
from tests.vpp.plan_files import read_plan
from tests.vpp.site_folder import START, changed, table, write_site

TARIFF = [
    {"id": "grid_fee", "kind": "energy", "of": "import", "price_per_mwh": 45},
    {"id": "demand", "kind": "peak", "of": "import", "price_per_kw": 7, "period": "month", "average_minutes": 60,
     "so_far_kw": 20},
]  # fmt: skip


def test_every_entry_is_told_with_what_it_charges_and_when(vpp, folder):
    site = write_site(folder, changed((("tariff",), TARIFF)))
    told = vpp("plan", site, "--out", "plan")
    assert told.code == 0, told.err
    files = read_plan(folder / "plan")
    fee, demand = files.document["tariff"]
    assert fee["cash"] + demand["cash"] == pytest.approx(files.document["objective"]["tariff"])
    imported_kwh = sum(max(0.0, -kw) for kw in files.site_export_kw())
    assert fee["cash"] == pytest.approx(-imported_kwh * 0.045)
    (month,) = demand["periods"]
    assert month["billed_kw"] == pytest.approx(max(20.0, -min(files.site_export_kw())))
    assert demand["cash"] == pytest.approx(-7 * (month["billed_kw"] - 20))
    for text in (told.out, files.report):
        assert "grid_fee" in text
        assert "demand" in text
        assert "20 owed" in text
    assert "What the grid charges" in files.report
    assert json.dumps(files.document)


def test_the_shipped_factory_stays_at_the_peak_that_it_has_reached(vpp, folder):
    """Its battery could charge faster; one kW more would earn 8 cents and cost 9.50."""
    told = vpp("plan", ROOT / "site_configs" / "factory.yaml", "--day", "2026-11-26", "--out", folder / "plan")
    assert told.code == 0, told.err
    files = read_plan(folder / "plan")
    assert min(files.site_export_kw()) == pytest.approx(-480.0)
    assert max(files.site_export_kw()) <= 180 + 1e-6
    (demand,) = [entry for entry in files.document["tariff"] if entry["id"] == "demand"]
    assert demand["cash"] == pytest.approx(0.0, abs=1e-6)
    assert 0.05 < demand["periods"][0]["worth_per_kw"] < 9.5
    assert files.document["objective"]["net"] == pytest.approx(-951.82, abs=0.01)


def paid_lines(page):
    """Runs of every dashed line, by what is said of it: first and last instant as shares of the day, and height."""
    found = {}
    for figure in re.findall(r"<figure.*?</figure>", page, re.DOTALL):
        names = re.findall(r'<li class="paid">(.*?)</li>', figure)
        paths = re.findall(r'<path class="paid line" d="(.*?)"', figure)
        width = float(re.findall(r'viewBox="0 0 ([\d.]+) 1000"', figure)[0])
        for name, path in zip(names, paths, strict=False):
            runs = re.findall(r"M([\d.]+) (\d+)H([\d.]+)", path)
            found.setdefault(name, []).append([(float(x) / width, float(end) / width, int(y)) for x, y, end in runs])
    return found


def test_the_charts_of_power_show_up_to_where_a_peak_is_paid_while_it_counts(vpp, folder):
    hours = {"hours": "06:00-12:00"}
    entries = [
        TARIFF[1] | {"so_far_kw": 30},
        TARIFF[1] | {"id": "noon", "of": "export", "so_far_kw": 25, "when": hours},
    ]
    site = write_site(folder, changed((("tariff",), entries)))
    assert vpp("plan", site, "--out", "plan").code == 0
    files = read_plan(folder / "plan")
    demand, noon = (entry["periods"][0]["billed_kw"] for entry in files.document["tariff"])
    lines = paid_lines(files.report)
    assert set(lines) == {f"demand: paid up to {demand:.0f} kW import", f"noon: paid up to {noon:.0f} kW export"}
    of_demand, of_noon = lines.values()
    assert len(of_demand) == len(of_noon) == 2  # at the meter, and by asset
    for ((start, end, low),), ((start_of_noon, end_of_noon, high),) in zip(of_demand, of_noon, strict=True):
        assert (start, end) == (0, 1)
        assert (start_of_noon, end_of_noon) == (pytest.approx(6 / 24), pytest.approx(12 / 24))
        assert high < low  # export is above


def test_every_month_of_a_plan_has_its_own_level(vpp, folder):
    days = [START + timedelta(hours=k) for k in range(24 * 12)]  # from 23 November to 4 December
    load = table("load_kw", days, [80.0] * 24 * 8 + [50.0] * 24 * 4)
    prices = table("price_per_mwh", days, [50.0] * 24 * 12)
    site = write_site(folder, changed((("tariff",), [TARIFF[1]])), load=load, prices=prices)
    assert vpp("plan", site, "--from", "2026-11-23", "--to", "2026-12-04", "--out", "plan").code == 0
    files = read_plan(folder / "plan")
    lines = paid_lines(files.report)
    before, after = (each["billed_kw"] for each in files.document["tariff"][0]["periods"])
    assert list(lines) == [f"demand: paid up to {after:.0f} … {before:.0f} kW import"]
    for runs in lines.popitem()[1]:
        (november, december) = runs
        assert november[:2] == (0, pytest.approx(8 / 12))
        assert december[:2] == (pytest.approx(8 / 12), 1)
        assert december[2] < november[2]  # nearer to nothing, which is above import
