"""What the grid charges stands in plan.json, in the terminal and in the page, entry by entry."""

import json

import pytest

from tests.vpp.command import ROOT
from tests.vpp.plan_files import read_plan
from tests.vpp.site_folder import changed, write_site

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
