"""The page of a plan: what it says, where it says it, and that it needs nothing else."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta
from html import escape, unescape
from html.parser import HTMLParser

import pytest

from tests.sites import hours
from tests.vpp.reported import CHANGE_DAY, CREATED, SITES, four_hours, limit, planned, source, store
from vpp.domain.horizon import Horizon
from vpp.domain.plan import Alternative, Repair, Status, Timing
from vpp.report.actions import actions
from vpp.report.axis import TimeAxis, scale_for
from vpp.report.chart import Chart, Line, Zone, draw
from vpp.report.page import report_page

HEADINGS = (
    "Money",
    "What limits it",
    "Prices and positions",
    "Power by asset",
    "Stored energy",
    "Why",
    "Grid-forming",
    "Each asset",
    "Stores",
    "Charging and discharging",
    "All steps",
    "Positions",
    "Repairs",
    "Premises",
    "Verification",
)
RUN_BLOCK = re.compile(r"<!-- this run -->.*<!-- end of this run -->", re.DOTALL)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
VOID = {"meta", "br"}
NB = "\u00a0"


class Outline(HTMLParser):
    """Reads a page, and insists that every element is closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.headings, self.scripts, self.addresses = [], [], 0, []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        self.scripts += tag == "script"
        self.addresses += [value for name, value in attrs if name in ("src", "href", "srcset", "data", "action")]

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "h2":
            self.headings.append(data.strip())


@pytest.mark.parametrize("name", SITES)
def test_every_part_has_its_heading_in_the_order_of_questions(name):
    shown = [heading for heading in Outline(report_page(planned(name), "seal")).headings if "scenarios" not in heading]
    assert tuple(shown) == HEADINGS


@pytest.mark.parametrize("name", SITES)
def test_a_page_loads_nothing_and_needs_only_its_own_script(name):
    text = report_page(planned(name), "seal")
    outline = Outline(text)
    assert outline.addresses == []
    assert outline.scripts == 1
    assert not re.search(r"https?:|@import|url\(|fetch\(|XMLHttpRequest", text)


def test_every_asset_has_a_row_of_its_own():
    plan = planned("wind_park")
    text = report_page(plan, "seal")
    for schedule in plan.schedules:
        assert f'<figure class="low" role="img" aria-label="{schedule.asset_id}:' in text


def test_the_sentence_comes_first_and_says_what_the_steps_add_up_to():
    plan = planned("tiny")
    sold_mwh = sum(max(0.0, kw) for kw in plan.site_export_kw) * 0.25 / 1000
    bought_mwh = sum(max(0.0, -kw) for kw in plan.site_export_kw) * 0.25 / 1000
    gain = plan.money.net - plan.idle_net
    text = report_page(plan, "seal").replace("\u00a0", " ")
    headline = f"Earns {plan.money.net:.2f} CNY, {gain:.2f} more than leaving the battery idle."
    assert 0 < text.index(headline) < text.index("<h2>")
    assert f"It sells {sold_mwh:.2f} MWh" in text
    assert f"It buys {bought_mwh:.2f} MWh" in text
    assert f"Wear costs {-plan.money.wear:.2f} CNY." in text


def test_curtailed_energy_and_held_reserve_are_told():
    plan = planned("wind_park")
    park = plan.schedules[0]
    unused_mwh = sum(could - does for could, does in zip(park.available_kw, park.export_kw, strict=True)) / 4000
    text = report_page(plan, "seal").replace("\u00a0", " ")
    assert f"It curtails {unused_mwh:.2f} MWh" in text
    assert f"Holding spinning costs {plan.reserve_cost['spinning']:.2f} USD." in text
    assert "Reserve spinning" in text


@pytest.mark.parametrize(("name", "day"), [("tiny", None), ("station", None), ("shop", CHANGE_DAY)])
def test_what_the_actions_of_a_single_store_bring_is_what_the_plan_gains(name, day):
    plan = planned(name, day)
    assert sum(a.cash for a in actions(plan)) + plan.money.wear == pytest.approx(
        plan.money.net - plan.idle_net, abs=0.02
    )


def test_a_store_that_covers_a_load_saves_the_price_of_import():
    load = store("load", asset_type="load", export_kw=(0, 0, 0, -120.0), stored_kwh=None, flows={})
    plan = four_hours(store(), load, export_price_per_mwh=(5.0, 5.0, 5.0, 5.0))
    charge, discharge = actions(plan)
    assert (charge.lowest_price, charge.cash) == (20, pytest.approx(-2))
    assert (discharge.lowest_price, discharge.cash) == (100, pytest.approx(9))


def test_charging_from_what_would_be_curtailed_costs_nothing():
    plan = four_hours(
        store(), source("park", (0, 100.0, 0, 0), (0, 130.0, 0, 0)), export_price_per_mwh=(50.0, -10.0, 40.0, 100.0)
    )
    charge, _ = actions(plan)
    assert (charge.lowest_price, charge.highest_price, charge.cash) == (0, 0, 0)


def test_a_trickle_against_self_discharge_is_no_action():
    flows = {"charge_kw": (0.01, 0.0, 100.0, 0.0), "discharge_kw": (0.0, 0.0, 0.0, 90.0)}
    assert [action.first for action in actions(four_hours(store(flows=flows)))] == [2, 3]


def test_a_hostile_name_stays_text():
    hostile = '<script>alert("1")</script>&</title>'
    text = report_page(four_hours(site_name=hostile), "seal")
    assert hostile not in text
    assert text.count(escape(hostile)) == 2
    assert Outline(text).scripts == 1


def test_two_runs_differ_only_in_the_marked_block():
    plan = four_hours()
    late = replace(plan, created=CREATED + timedelta(hours=1), timing=Timing(read=9.0, solve=3.5))
    first, second = report_page(plan, "sha256:one"), report_page(late, "sha256:two")
    assert RUN_BLOCK.sub("", first) == RUN_BLOCK.sub("", second)
    (block,) = RUN_BLOCK.findall(second)
    for part in ("2026-11-23 07:00:00 UTC", "solve 3.500 s", "sha256:two", "prices.csv: 60 seconds"):
        assert part in block


def test_a_repaired_plan_opens_with_its_repairs():
    later = Alternative("later", CREATED.replace(hour=5, minute=20), "utc")
    repair = Repair(2, "least energy at the end", "cell", 19.0, "kWh", 180.0, 19.0, (3,), "<dark>", (later,))
    text = report_page(four_hours(status=Status.REPAIRED, repairs=(repair,)), "seal")
    told = "battery cell cannot reach 90 % by 04:00: 19 kWh short in scenario &lt;dark&gt;; possible by 05:20."
    assert 0 < text.replace("\u00a0", " ").index(told) < text.index('class="headline"')
    assert 'class="status repaired">REPAIRED' in text


def test_load_that_is_cut_and_energy_that_lacks_are_drawn_and_counted():
    cut = source("works", (-10.0, -6.0, -4.0, -10.0))
    cut = replace(cut, asset_type="load", available_kw=None, flows={"cut_kw": (0.0, 4.0, 6.0, 0.0)})
    repairs = (
        Repair(0, "load served", "works", 10.0, "kWh", 20.0, 10.0, (1, 2)),
        Repair(2, "least energy at the end", "cell", 60.0, "kWh", 110.0, 60.0, (3,)),
    )
    text = report_page(four_hours(store(lacking_kwh=60.0), cut, status=Status.REPAIRED, repairs=repairs), "seal")
    plain = text.replace("\u00a0", " ")
    for told in ('class="cut slanted">load that is cut', "promised 110 kWh", "load: 30 kWh in, 10 kWh cut"):
        assert told in plain
    assert "load works is cut by 10 kWh of 20 kWh" in plain
    assert "load that is cut" not in report_page(four_hours(), "seal")


def test_a_fallback_opens_with_a_band():
    text = report_page(four_hours(status=Status.FALLBACK), "seal")
    assert 0 < text.index('class="band"') < text.index('class="headline"')


def test_an_empty_part_keeps_its_heading_and_says_so():
    text = report_page(four_hours(source("park", (1.0, 2.0, 3.0, 4.0)), positions=(), premises=(), idle_net=None), "s")
    assert tuple(Outline(text).headings) == HEADINGS
    for line in ("No limit binds.", "The site has no store.", "No store moves.", "Nothing is bought or sold."):
        assert line in text
    assert "None: the plan keeps every promise." in text
    assert "No islands configured" in text


def test_a_limit_says_what_widening_it_earns():
    text = report_page(four_hours(limits=(limit(), limit(name="lowest stored energy", bound=0.0, unit="kWh"))), "seal")
    assert "<td>0.050 per kW</td><td>0.05</td>" in text  # one kW is a hundredth of 100 kW
    assert "<td>0.050 per kWh</td><td>–</td>" in text


def test_more_assets_than_fit_are_shown_by_size_and_it_says_so():
    parks = [source(f"park{k}", (float(k),) * 4) for k in range(1, 202)]
    text = report_page(four_hours(*parks), "seal")
    assert "The 20 largest of 201 assets" in text
    assert 'aria-label="park201:' in text
    assert 'aria-label="park182:' in text
    assert 'aria-label="park181:' not in text
    assert "wind × 201 20301.0 to 20301.0 kW" in text.replace(",", "")  # 1 + 2 + … + 201


def test_a_line_is_drawn_in_steps_at_the_heights_of_its_values():
    axis = TimeAxis(hours(4))
    figure = draw(Chart("P", "kW", [Line("", (0.0, 100.0, 100.0, 50.0), "ink")]), axis)
    assert 'class="ink line" d="M0 1000H1V0H3V500H4"' in figure


def test_layers_pile_up_above_zero_and_below():
    axis = TimeAxis(hours(2))
    stack = [Line("a", (50.0, -50.0), "store"), Line("b", (50.0, -50.0), "generation")]
    figure = draw(Chart("P", "kW", stack=stack), axis)
    assert 'class="store" d="M0 250H1V500H0ZM1 500H2V750H1Z"' in figure
    assert 'class="generation" d="M0 0H1V250H0ZM1 750H2V1000H1Z"' in figure


def test_layers_of_one_kind_differ_in_texture():
    text = report_page(planned("wind_park"), "seal")
    assert '<li class="store">fast</li><li class="store slanted">deep</li>' in text


def test_a_near_limit_is_hatched_and_a_far_one_is_named():
    axis, line = TimeAxis(hours(4)), [Line("", (0.0, 100.0, 90.0, 0.0), "ink")]
    near = draw(Chart("P", "kW", line, zones=[Zone("limit", 150.0, float("inf"))]), axis)
    far = draw(Chart("P", "kW", line, zones=[Zone("limit", 500.0, float("inf"))]), axis)
    assert 'class="hatch beyond"' in near
    assert '<li class="zone">limit</li>' in near
    assert "hatch" not in far
    assert "limit: out of the picture" in far


def test_an_axis_has_round_ticks_and_holds_zero():
    scale = scale_for([3.0, 870.0])
    assert scale.ticks == (0, 250, 500, 750, 1000)
    assert scale_for([-5.0, -1.0]).high == 0
    assert scale_for([0.0, 0.0]).ticks[0] == 0


def test_the_hour_that_clocks_pass_twice_is_named():
    texts = [
        tick.text for tick in TimeAxis(Horizon.of_local_days(CHANGE_DAY, CHANGE_DAY, "Europe/Berlin", 900)).ticks()
    ]
    assert texts == ["00:00", "02:00B", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00", "24:00"]


def test_rows_of_the_doubled_hour_read_a_and_b():
    text = report_page(planned("shop", CHANGE_DAY), "seal")
    for hour in ("02:00A", "02:45A", "02:00B", "02:45B", "03:00"):
        assert text.count(f"<tr><td>{hour}</td>") == 1


def test_a_long_plan_is_drawn_in_columns_that_lose_no_extreme_and_says_so():
    horizon = hours(2400)
    values = [0.0] * 2400
    values[1000] = 100.0
    axis = TimeAxis(horizon)
    figure = draw(Chart("P", "kW", [Line("", values, "ink")]), axis)
    assert len(axis.columns) == 800
    assert axis.columns[333] == (999, 1002)
    assert 'class="ink band" d="M999 0H1002V1000H999Z"' in figure
    assert "V667H1002V1000" in figure  # a third of 100 kW on average
    assert axis.note.startswith("Each column is 3 hours")


def test_a_page_is_small():
    assert len(report_page(planned("tiny"), "seal")) < 72_000


MEASURE = """<!doctype html><html><body><iframe id=phone style="width:360px;height:800px;border:0"></iframe><script>
const phone = document.getElementById("phone");
phone.onload = () => {
  const page = phone.contentDocument;
  for (const fold of page.querySelectorAll("details")) fold.open = true;
  const wide = [...page.querySelectorAll("body *")]
    .filter((element) => !element.closest("svg, #steps, #positions"))
    .filter((element) => element.getBoundingClientRect().right > 360.5)
    .map((element) => element.outerHTML.slice(0, 80));
  const overlaps = [...page.querySelectorAll(".plot")].filter((plot) => {
    const labels = [...plot.querySelectorAll(".x")].map((label) => label.getBoundingClientRect());
    const boxes = labels.filter((box) => box.width);
    return boxes.some((box, k) => k && box.left < boxes[k - 1].right);
  }).length;
  document.title = JSON.stringify({wide, overlaps, width: page.documentElement.scrollWidth});
};
phone.srcdoc = PAGE;
</script></body></html>"""


def test_a_page_tells_what_cycles_take_of_a_store():
    text = report_page(planned("station_lfp"), "seal").replace(NB, " ")
    assert "<td>store</td><td>0.00964 %</td><td>0.90</td><td>13,501.23</td><td>13,501.23</td><td>28 years</td>" in text
    assert "<td>store</td><td>0.90</td><td>90.3 %</td><td>90.3 %</td>" in text
    assert 'id="wear"' not in report_page(planned("station"), "seal")


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize("name", ["shop", "wind_park", "station_lfp"])
def test_nothing_is_wider_than_a_phone(name, tmp_path):
    page = json.dumps(report_page(planned(name), "sha256:" + "0" * 64)).replace("</", "<\\/")
    (tmp_path / "phone.html").write_text(MEASURE.replace("PAGE", page), "utf-8")
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-sync",
        "--hide-scrollbars",
    ]
    options += ["--disable-background-networking", "--disable-component-update", f"--user-data-dir={tmp_path}/profile"]
    command = [CHROMIUM, *options, "--virtual-time-budget=5000", "--dump-dom", f"file://{tmp_path}/phone.html"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=120, encoding="utf-8")
    title = re.search(r"<title>(.*?)</title>", done.stdout)
    assert title, done.stderr
    found = json.loads(unescape(title[1]))
    assert found == {"wide": [], "overlaps": 0, "width": 360}
