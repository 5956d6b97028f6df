"""`vpp plan`: what it plans, what it prints, and how it ends."""

import json
import os
import re
import signal
import subprocess
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from tests.sites import P24
from tests.vpp.command import ROOT, command_line, files_in, in_own_process
from tests.vpp.plan_files import net_of, read_plan, without_this_run
from tests.vpp.site_folder import DAY, LOAD_KW, START, changed, hourly, table, write_site
from vpp.domain.errors import InfeasibleError
from vpp.intake import Request, take_in


def first_day(site, today):
    case = take_in(Request(site), datetime.combine(today, datetime.min.time(), UTC) + timedelta(hours=12))
    return case.problem.horizon.starts[0].date()


def three_days(column, values):
    return hourly(column, [*values] * 3, START - timedelta(days=1))


@pytest.fixture
def long_site(folder):
    """Prices and load from 22 to 24 November."""
    return write_site(folder, prices=three_days("price_per_mwh", P24), load=three_days("load_kw", LOAD_KW))


def test_a_plan_writes_its_four_files_into_the_folder_named(vpp, folder):
    there = files_in(folder) | {"site.yaml", "prices.csv", "load.csv"}
    told = vpp("plan", write_site(folder), "--out", "somewhere/else")
    assert told.code == 0
    written = {"plan.csv", "positions.csv", "plan.json", "report.html"}
    assert files_in(folder) - there == {"somewhere", "somewhere/else"} | {f"somewhere/else/{name}" for name in written}
    assert "OPTIMAL" in told.out
    assert re.search(r"verify +ok, worst violation", told.err) is None, "progress is for terminals"


def test_json_prints_exactly_plan_json_and_nothing_else(vpp, folder):
    told = vpp("plan", write_site(folder), "--json")
    assert told.out == (folder / "out" / "plan.json").read_text("utf-8")
    assert told.err == ""


def test_a_real_process_prints_one_json_document_on_stdout(folder):
    """The solver once printed its banner there."""
    site = write_site(folder)
    told = in_own_process(folder, "plan", site.name, "--json")
    assert told.code == 0, told.err
    assert told.out == (folder / "out" / "plan.json").read_text("utf-8")
    assert told.document["site_id"] == "small"
    assert told.err == ""


def test_a_real_process_with_decisions_to_search_prints_one_json_document(folder):
    """Negative prices and a site that pays more for export than import costs need binaries, and with them a search."""
    prices = [-50.0 if k % 3 else 80.0 for k in range(24)]
    site = changed(
        (("assets", 0, "charge_efficiency"), 0.8),
        (("markets", 0, "export_prices"), {"file": "export.csv", "column": "price_per_mwh"}),
    )
    series = {"prices": hourly("price_per_mwh", prices), "export": hourly("price_per_mwh", [p + 30 for p in prices])}
    told = in_own_process(folder, "plan", write_site(folder, site, **series).name, "--json")
    assert told.code == 0, told.err
    assert told.document["status"] == "optimal"
    assert told.err == ""


def test_a_plan_made_twice_has_the_same_tables_and_else_differs_in_its_making(vpp, folder):
    site = write_site(folder)
    assert vpp("plan", site, "--out", "one").code == 0
    time.sleep(1.1)  # so that created_utc differs
    assert vpp("plan", site, "--out", "two").code == 0
    one, two = (read_plan(folder / out) for out in ("one", "two"))
    for name in ("plan.csv", "positions.csv"):
        assert (folder / "one" / name).read_bytes() == (folder / "two" / name).read_bytes()
    assert one.document["created_utc"] != two.document["created_utc"]
    differing = {key for key in one.document if one.document[key] != two.document[key]}
    assert differing <= {"created_utc", "timing_s", "seal"}
    assert one.report != two.report
    assert without_this_run(one.report) == without_this_run(two.report)


def test_the_default_day_is_the_first_that_prices_cover_from_today_on(long_site):
    today = START.date()
    assert first_day(long_site, today) == today
    assert first_day(long_site, today + timedelta(days=1)) == today + timedelta(days=1)
    assert first_day(long_site, today - timedelta(days=30)) == today - timedelta(days=1)


def test_the_default_day_is_the_first_of_all_when_prices_have_ended(long_site):
    assert first_day(long_site, START.date() + timedelta(days=30)) == START.date() - timedelta(days=1)


def test_the_default_day_skips_a_day_with_a_gap(folder):
    prices = three_days("price_per_mwh", P24).replace("2026-11-23T12:00:00Z", "2026-11-30T12:00:00Z")
    site = write_site(folder, prices=prices, load=three_days("load_kw", LOAD_KW))
    assert first_day(site, START.date()) == START.date() + timedelta(days=1)


@pytest.mark.parametrize(("options", "first", "count"), [
    (("--day", "2026-11-24"), "2026-11-24T00:00:00Z", 24),
    (("--from", "2026-11-22", "--to", "2026-11-24"), "2026-11-22T00:00:00Z", 72),
    (("--from", DAY, "--to", DAY), "2026-11-23T00:00:00Z", 24),
])  # fmt: skip
def test_the_days_that_were_asked_for_are_planned(vpp, long_site, options, first, count):
    horizon = vpp("plan", long_site, *options, "--json").document["horizon"]
    assert (horizon["start_utc"], horizon["step_s"], horizon["count"]) == (first, 3600, count)


def test_a_span_in_one_solve_earns_at_least_as_much_as_its_days_one_by_one(vpp, long_site):
    days = ["2026-11-22", "2026-11-23", "2026-11-24"]
    one_by_one = sum(vpp("plan", long_site, "--day", day, "--json").document["objective"]["net"] for day in days)
    span = vpp("plan", long_site, "--from", days[0], "--to", days[-1], "--json").document["objective"]["net"]
    assert span >= one_by_one - 1e-6


def test_local_days_are_those_of_the_site(vpp, folder):
    text = write_site(folder).read_text().replace("timezone: UTC", "timezone: Asia/Shanghai")
    start = START - timedelta(hours=8)
    series = {"prices": hourly("price_per_mwh", P24, start), "load": hourly("load_kw", LOAD_KW, start)}
    told = vpp("plan", write_site(folder, text, **series), "--json")
    assert told.document["horizon"]["start_utc"] == "2026-11-22T16:00:00Z"
    assert "Mon 23 Nov 2026" in vpp("plan", folder / "site.yaml").out


def test_prices_on_the_command_line_replace_those_of_the_site(vpp, folder):
    flat = hourly("price_per_mwh", [100.0] * 24)
    site = write_site(folder, flat=flat)
    at_flat_prices = vpp("plan", site, "--prices", "flat.csv", "--json").document
    assert at_flat_prices["objective"]["net"] == pytest.approx(-sum(LOAD_KW) * 100 / 1000)
    at_its_own = vpp("plan", site, "--json").document
    of_the_load = -sum(kw * price for kw, price in zip(LOAD_KW, P24, strict=True)) / 1000
    assert at_its_own["idle_net"] == pytest.approx(of_the_load)
    assert at_its_own["objective"]["net"] > of_the_load + 1


def test_series_are_looked_for_beside_the_site_file_and_prices_of_the_command_line_here(vpp, folder, monkeypatch):
    site = write_site(folder)
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine.csv").write_text(hourly("price_per_mwh", P24[::-1]))
    monkeypatch.chdir(elsewhere)
    assert vpp("plan", site, "--prices", "mine.csv").code == 0
    assert files_in(elsewhere) >= {"out/plan.csv"}


def test_pain_2_a_load_beyond_the_connection_names_the_limit_and_its_steps(vpp, folder):
    load = hourly("load_kw", [450 if 9 <= hour < 11 else 20 for hour in range(24)])
    site = write_site(folder, changed((("assets", 0, "discharge_power_kw"), 100)), load=load)
    there = files_in(folder)
    told = vpp("plan", site)
    assert (told.code, told.out) == (3, "")
    assert re.search(r"grid connection: import limit +(09:00–10:00|10:00–11:00|09:00–11:00)\n", told.err)
    assert "exit 3" in told.err
    document = vpp("plan", site, "--json").document
    assert document["error"]["exit_code"] == 3
    (steps,) = (c["steps"] for c in document["error"]["conflicts"] if c["limit"] == "import limit")
    assert set(steps) <= {9, 10}
    assert steps
    assert files_in(folder) == there


def test_a_critical_load_beyond_a_connection_without_stores_names_the_limit_and_the_load(vpp, folder):
    only_the_load = changed()["assets"][1:]
    site = changed((("assets",), only_the_load), (("connection", "import_limit_kw"), 50))
    told = vpp("plan", write_site(folder, site), "--json")
    assert told.code == 3
    conflicts = {(c["owner"], c["limit"]): set(c["steps"]) for c in told.document["error"]["conflicts"]}
    assert set(conflicts) == {("grid connection", "import limit"), (only_the_load[0]["id"], "critical load")}
    assert all(steps <= {step for step, kw in enumerate(LOAD_KW) if kw > 50} for steps in conflicts.values())


@pytest.fixture
def site_of_a_month(folder):
    """Ten stores over 30 days: long enough to be interrupted."""
    stores = [changed()["assets"][0] | {"id": f"bess{k}", "energy_capacity_kwh": 100 + k} for k in range(10)]
    days, text = 30, changed((("assets",), [*stores, changed()["assets"][1]]))
    quarters = [START + timedelta(minutes=15 * k) for k in range(96 * days)]
    prices = table("price_per_mwh", quarters, [50 + 40 * ((7 * k) % 96) / 96 for k in range(len(quarters))])
    load = table("load_kw", quarters, [20 + k % 5 for k in range(len(quarters))])
    text["site"]["step_minutes"] = 15
    return write_site(folder, text, prices=prices, load=load)


@contextmanager
def ctrl_c_as_in_the_foreground():
    """A shell starts what it puts in the background with Ctrl-C ignored, and every child inherits that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("wait_s", [0.0, 1.5])
def test_an_interrupted_process_ends_with_130_and_leaves_nothing(site_of_a_month, folder, wait_s):
    """The site file is a pipe, so that the test knows when the command is at work."""
    text = site_of_a_month.read_text()
    site_of_a_month.unlink()
    os.mkfifo(site_of_a_month)
    arguments = ("plan", site_of_a_month.name, "--from", DAY, "--to", "2026-12-22", "--json")
    there = files_in(folder)
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with (
        ctrl_c_as_in_the_foreground(),
        subprocess.Popen(command_line(*arguments), cwd=folder, env=environment, **pipes) as process,
    ):
        try:
            with site_of_a_month.open("w") as pipe:
                if wait_s:
                    pipe.write(text)
                    pipe.close()
                time.sleep(wait_s)
                process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130, err
    assert "interrupted" in err
    assert "Traceback" not in err
    assert json.loads(out) == {"error": {"exit_code": 130}}
    assert files_in(folder) == there


def test_a_time_limit_without_an_answer_says_so_and_what_to_do(vpp, folder, monkeypatch):
    """Only a long search ends so; here its end is taken as given."""

    def ends(problem, *_):
        raise InfeasibleError((), problem.horizon, is_certain=False)

    monkeypatch.setattr("vpp.commands.plan.explained", ends)
    told = vpp("plan", write_site(folder))
    assert told.code == 3
    assert "No plan was found in the time allowed" in told.err
    assert "planning.time_limit_s" in told.err
    assert vpp("plan", folder / "site.yaml", "--json").document == {"error": {"exit_code": 3, "conflicts": []}}


def test_a_fault_of_the_program_is_owned_up_to_and_shown_with_debug(vpp, folder, monkeypatch):
    def fails(*_):
        raise ZeroDivisionError("nothing divides by zero")

    monkeypatch.setattr("vpp.commands.plan.take_in", fails)
    told = vpp("plan", write_site(folder))
    assert (told.code, told.out) == (1, "")
    assert "a fault of its own: nothing divides by zero" in told.err
    assert "Traceback" not in told.err
    assert "ZeroDivisionError" in vpp("plan", folder / "site.yaml", "--debug").err
    assert vpp("plan", folder / "site.yaml", "--json").document["error"]["exit_code"] == 1


def test_a_plan_keeps_its_balance_hour_by_hour_and_its_money_is_price_times_energy(vpp, folder):
    """Everything recomputed from plan.csv and the input alone."""
    assert vpp("plan", write_site(folder)).code == 0
    made = read_plan(folder / "out")
    bess, base = made.of("bess1"), made.of("base")
    assert [row["export_kw"] for row in base] == [-kw for kw in map(float, LOAD_KW)]
    levels = [100.0, *(row["stored_kwh"] for row in bess)]
    for (before, after), row in zip(pairwise(levels), bess, strict=True):
        power = row["export_kw"]
        assert after - before == pytest.approx(-power / 0.95 if power > 0 else -power * 0.95, abs=1e-6)
        assert row["soc_fraction"] == pytest.approx(after / 200, abs=1e-9)
    assert min(levels) >= -1e-6
    assert max(levels) <= 200 + 1e-6
    assert levels[-1] >= 100 - 1e-6
    objective = made.document["objective"]
    energy, wear = net_of(made, P24), -20 * sum(max(0.0, row["export_kw"]) for row in bess) / 1000
    assert objective["energy"] == pytest.approx(energy)
    assert objective["wear"] == pytest.approx(wear)
    assert objective["net"] == pytest.approx(energy + wear)
