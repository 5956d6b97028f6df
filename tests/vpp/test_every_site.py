"""What holds for every site file that is shipped, whoever wrote it."""

import hashlib
import json
import re
from contextlib import redirect_stderr, redirect_stdout
from html.parser import HTMLParser
from io import StringIO

import pytest
from ruamel.yaml import YAML

from tests.vpp.command import ROOT
from tests.vpp.plan_files import read_plan
from vpp.cli import main

SITES = sorted((ROOT / "site_configs").glob("*.yaml"))
NB = "\u00a0"


@pytest.fixture(scope="module", params=SITES, ids=lambda path: path.stem)
def site(request):
    """The path of a shipped site file."""
    return request.param


@pytest.fixture(scope="module")
def made(site, tmp_path_factory):
    """Its plan, as files, and what the command printed."""
    out, printed, told = tmp_path_factory.mktemp(site.stem), StringIO(), StringIO()
    with redirect_stdout(printed), redirect_stderr(told):
        assert main(["plan", str(site), "--out", str(out)]) == 0, told.getvalue()
    return read_plan(out), printed.getvalue(), out


@pytest.fixture(scope="module")
def written(site):
    """What the site file says."""
    return YAML(typ="safe", pure=True).load(site)


def test_sites_are_shipped():
    assert {path.stem for path in SITES} >= {"tiny", "shop", "station", "wind_park", "factory", "solar_park"}


def test_it_has_no_faults(site, vpp):
    told = vpp("check", site)
    assert told.code == 0, told.err
    assert f"{site}: no faults" in told.out


def test_it_is_called_like_its_file(site, written):
    assert written["site"]["id"] == site.stem


def test_its_plan_is_optimal_and_verified(made):
    document = made[0].document
    assert document["status"] == "optimal"
    assert document["verification"]["passed"] is True
    assert 0 <= document["verification"]["worst_violation"] < 1e-5
    assert document["objective"]["net"] <= document["bound"] + 1e-9
    assert document["gap_fraction"] <= 1e-6


def test_its_money_adds_up_and_no_cost_earns(made):
    objective = made[0].document["objective"]
    parts = {key: value for key, value in objective.items() if key not in ("currency", "net")}
    assert set(parts) == {"energy", "capacity", "wear", "tariff", "penalties"}
    assert sum(parts.values()) == pytest.approx(objective["net"], abs=1e-9)
    assert max(parts["wear"], parts["tariff"], parts["penalties"]) <= 0


def test_its_positions_are_its_energy_money(made):
    files = made[0]
    net = [row for row in files.positions if row["direction"] == "net"]
    assert sum(row["cash"] for row in net) == pytest.approx(files.document["objective"]["energy"], abs=1e-6)
    step_h = files.document["horizon"]["step_s"] / 3600
    for row in net:
        assert row["price_unit"] == "per_mwh"
        assert row["cash"] == pytest.approx(row["quantity_kw"] / 1000 * step_h * row["price"], abs=1e-6)


def test_its_positions_are_the_sum_of_its_assets(made):
    files = made[0]
    net = dict.fromkeys(files.starts, 0.0)
    for row in files.positions:
        if row["direction"] == "net":
            net[row["start_utc"]] += row["quantity_kw"]
    assert list(net) == files.starts
    assert list(net.values()) == pytest.approx(files.mean_export_kw(), abs=1e-6)


def test_no_step_exceeds_the_connection(made, written):
    exported = made[0].site_export_kw()
    assert max(exported) <= written["connection"]["export_limit_kw"] + 1e-6
    assert min(exported) >= -written["connection"]["import_limit_kw"] - 1e-6


def test_every_step_has_a_row_of_every_asset(made, written):
    files, ids = made[0], [asset["id"] for asset in written["assets"]]
    assert len(files.starts) == files.document["horizon"]["count"]
    assert [row["asset_id"] for row in files.rows] == ids * len(files.starts)


def test_the_sentence_says_what_the_files_say(made, written):
    """Recomputed from plan.csv, plan.json and nothing else."""
    files, printed, _ = made
    text = " ".join(printed.split())
    net, idle = files.document["objective"]["net"], files.document["idle_net"]
    assert f"{'Earns' if net >= 0 else 'Spends'} {abs(net):,.2f} {written['site']['currency']}" in text
    if idle is not None:
        word = "more" if (net > idle) == (net >= 0) else "less"
        assert f", {abs(net - idle):,.2f} {word} than leaving the" in text
    step_h = files.document["horizon"]["step_s"] / 3600
    for verb, sign in (("sells", 1), ("buys", -1)):
        mwh = sum(max(0.0, sign * kw) for kw in files.site_export_kw()) * step_h / 1000
        told = f"It {verb} {mwh:,.2f} MWh" if mwh >= 1 else f"It {verb} "
        assert told in text


def test_its_seal_is_the_digest_of_all_else_and_of_the_tables(made):
    files, _, out = made
    document = dict(files.document)
    seal = document.pop("seal")
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    assert seal == f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    for name, digest in document["files"].items():
        assert digest == f"sha256:{hashlib.sha256((out / name).read_bytes()).hexdigest()}"
    assert seal in files.report


class _Addresses(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.found, self.styles = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found += [value for name, value in attrs if name in ("src", "href", "srcset", "data", "action", "poster")]
        self.found += [tag] if tag in ("link", "iframe", "object", "embed", "base", "img") else []


def test_its_report_loads_nothing(made):
    page = made[0].report
    assert [address for address in _Addresses(page).found if not address.startswith("#")] == []
    assert re.search(r"https?://|url\(|@import|fetch\(|XMLHttpRequest|WebSocket|import\(", page) is None


def test_its_report_says_what_the_terminal_says(made, written):
    page, printed = made[0].report, made[1]
    first = next(line.strip() for line in printed.splitlines() if line.strip().startswith(("Earns", "Spends")))
    assert first.split(",")[0] in page.replace(NB, " ")
    for asset in written["assets"]:
        assert asset["id"] in page
