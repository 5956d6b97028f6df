"""A running site counts what its tariff counts at its own meter, and its plans go on from there."""

import asyncio
import re
from contextlib import closing
from datetime import timedelta

import pytest

from adapters.scenario import Scenario
from tests.vpp.site_folder import MISSING, START, changed, hourly, write_site
from tests.vpp.test_rehearsal import Entries
from vpp.daemon import remember
from vpp.domain.tariff import SoFar
from vpp.journal import Journal
from vpp.operation import Remembered
from vpp.planning import PlanRequest, read_request, request_line
from vpp.records import Planned
from vpp.rehearsal import InProcessPlanner, rehearse
from vpp.replanner import Replanner
from vpp.scene import Scene
from vpp.site import parse_site
from vpp.state_folder import StateFolder
from vpp.telemetry_store import Retention, TelemetryStore

DEMAND = {"id": "demand", "kind": "peak", "of": "import", "price_per_kw": 7, "period": "month"}


class Asked(InProcessPlanner):
    """A planner that keeps what it was asked."""

    def __init__(self, path):
        super().__init__(path)
        self.requests = []

    async def plan(self, request):
        self.requests.append(request)
        return await super().plan(request)


def consumer(folder, load_kw, **fields):
    """A load alone, at 50 per MWh, under a charge on its highest quarter-hour."""
    values = changed((("assets", 0), MISSING), (("tariff",), [DEMAND | fields]), (("site", "step_minutes"), 15))
    load, prices = hourly("load_kw", load_kw * 3), hourly("price_per_mwh", [50.0] * 72)
    return write_site(folder, values, load=load, prices=prices)


def lead(path, minutes, *, start=START, remembered=None, scenario=None):
    """Lead a site on a virtual clock; what the planner was asked, and what was written down."""
    _, site_file, _ = parse_site(path)
    planner, recorder = Asked(path), Entries()
    run = rehearse(path, site_file, start, scenario, planner=planner, recorder=recorder, remembered=remembered)
    asyncio.run(run.run(start + timedelta(minutes=minutes)))
    plans = [entry for entry in recorder.entries if isinstance(entry.body, Planned)]
    return planner.requests, plans


def test_a_plan_after_a_measured_peak_pays_for_nothing_up_to_it(tmp_path):
    path = consumer(tmp_path, [60.0] * 24)
    energy = -60 * 24 * 50 / 1000
    for peak_kw, above_kw in ((0.0, 60.0), (45.0, 15.0), (60.0, 0.0), (90.0, 0.0)):
        request = PlanRequest(START, {}, {}, (), {"demand": SoFar(peak_kw=peak_kw)})
        course = Replanner(path).plan(read_request(request_line(request))).course
        first_quarter = -60 * 0.25 * 50 / 1000  # a running plan covers a day and one step more
        assert course.net == pytest.approx(energy + first_quarter - 7 * above_kw)


def test_a_site_that_drew_its_peak_plans_on_as_if_that_were_free(tmp_path):
    path = consumer(tmp_path, [100.0, *[60.0] * 23])
    requests, plans = lead(path, 62)
    first, *later = (request.so_far["demand"] for request in requests)
    assert (first.peak_kw, first.block_kwh) == (0.0, None)
    assert [told.peak_kw for told in later] == pytest.approx([100.0] * len(later), rel=0.05)
    assert len(later) >= 3
    paid = [-entry.body.course.net for entry in plans]
    assert paid[0] == pytest.approx((100 + 60 * 23) * 0.05 + 100 * 0.25 * 0.05 + 700.0, rel=0.01)
    last_peak_kw = plans[-1].body.counted["demand"].reached
    beyond_kw = max(0.0, 100.0 - last_peak_kw)  # of the first hour of the next day, by which noise fell short of it
    assert paid[-1] == pytest.approx((60 * 23 + 100) * 0.05 + 7 * beyond_kw, rel=0.02)


def test_the_energy_of_an_average_that_is_running_goes_into_a_plan(tmp_path):
    path = consumer(tmp_path, [100.0, *[60.0] * 23], average_minutes=60)
    requests, _ = lead(path, 32)
    told = requests[-1].so_far["demand"]
    since_h = (requests[-1].now - START).total_seconds() / 3600
    assert (told.peak_kw, told.block_kwh) == (0.0, pytest.approx(100.0 * since_h, rel=0.05))


def test_an_average_in_which_the_load_was_silent_for_too_long_counts_as_none(tmp_path):
    path = consumer(tmp_path, [100.0, *[60.0] * 23])
    fault = {"asset": "base", "at_s": 60, "for_s": 300, "fault": "silent"}
    requests, _ = lead(path, 17, scenario=Scenario.model_validate({"schema_version": 1, "faults": [fault]}))
    assert requests[-1].now >= START + timedelta(minutes=15)
    assert requests[-1].so_far["demand"].peak_kw == 0.0


def test_a_demo_says_that_its_money_is_without_the_tariff(tmp_path):
    path = consumer(tmp_path, [60.0] * 24)
    _, site_file, _ = parse_site(path)
    run = rehearse(path, site_file, START)
    scene = Scene(site_file, run.operation, START)
    asyncio.run(run.run(START + timedelta(minutes=1), scene.note))
    text, _ = scene.summary(1.0)
    assert re.search(r"Spent 0\.0\d EUR before what the grid charges, 0\.00 \w+ than with stores at rest", text)


def test_a_new_month_forgets_the_peak(tmp_path):
    path = consumer(tmp_path, [60.0] * 24, so_far_kw=480)
    december = START.replace(month=12, day=1)
    requests, _ = lead(path, 40, start=december - timedelta(minutes=20))
    before = [request.so_far["demand"].peak_kw for request in requests if request.now < december]
    after = [request.so_far["demand"].peak_kw for request in requests if request.now >= december]
    assert set(before) == {480.0}
    assert after
    assert max(after) < 66.0


def test_a_restart_goes_on_from_what_was_counted(tmp_path):
    path = consumer(tmp_path, [100.0, *[60.0] * 23])
    _, site_file, _ = parse_site(path)
    _, plans = lead(path, 50)
    with closing(StateFolder(tmp_path / "s")) as folder:
        with closing(Journal(folder.journal)) as journal:
            journal.append(plans)
        store = TelemetryStore(folder.telemetry, Retention(spare_bytes=0))
        store.close()
        with closing(Journal(folder.journal)) as journal:
            remembered = remember(journal, folder, store, site_file, START + timedelta(hours=3))
    assert isinstance(remembered, Remembered)
    requests, _ = lead(path, 20, start=START + timedelta(hours=3), remembered=remembered)
    assert requests[0].so_far["demand"].peak_kw == pytest.approx(plans[-1].body.counted["demand"].reached)
    assert requests[0].so_far["demand"].peak_kw == pytest.approx(100.0, rel=0.05)
