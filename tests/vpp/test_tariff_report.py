"""What the grid charges stands in plan.json, in the terminal and in the page, entry by entry."""

import json

import pytest

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
