"""What `vpp plan` prints: the numbers, in the width there is, on a terminal and in a pipe."""

import fcntl
import os
import pty
import struct
import subprocess
import termios

import pytest

from tests.sites import hours
from tests.vpp.command import ROOT, command_line
from tests.vpp.reported import CHANGE_DAY, CONFIGS, SITES, four_hours, limit, planned, store
from vpp.domain.horizon import Horizon
from vpp.domain.plan import Repair, Status
from vpp.report.sparkline import Columns, sparkline
from vpp.report.terminal import summary, table
from vpp.report.wear import lasting

BLOCKS = set("▁▂▃▄▅▆▇█")
WRITTEN = [CONFIGS / "plan.csv", CONFIGS / "report.html"]


def printed(plan, width=80, *, shows_bars=False):
    return summary(plan, WRITTEN, width=width, shows_bars=shows_bars)


@pytest.mark.parametrize("name", SITES)
@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal(name, width):
    text = printed(planned(name), width, shows_bars=True)
    assert max(len(line) for line in text.splitlines()) <= width


def test_a_span_of_days_fits_too_and_is_told_by_day():
    text = printed(planned("shop", CHANGE_DAY.replace(day=24), CHANGE_DAY.replace(day=26)), shows_bars=True)
    assert max(len(line) for line in text.splitlines()) <= 80
    assert text.count("  2026-10-2") == 3


def test_the_money_is_told_by_component():
    text = printed(planned("tiny"))
    money = planned("tiny").money
    for name, value in (("energy", money.energy), ("wear", money.wear), ("net", money.net)):
        assert f"{name:<9} {value:>14,.2f}".replace("-", "−") in text


def test_what_cycles_take_of_a_store_is_told_beside_what_the_plan_paid():
    lines = [line.split() for line in printed(planned("station_lfp")).splitlines()]
    assert ["store", "0.00964", "%", "0.90", "13,501.23", "13,501.23", "28", "years"] in lines
    assert "by rainflow" not in printed(planned("station"))


def test_a_short_life_is_told_in_years_and_a_long_one_is_not():
    assert lasting(1 / 365.25 / 7.25, 24) == "7.2\u00a0years"
    assert lasting(1e-9, 24) == lasting(0.0, 24) == "100+\u00a0years"


def test_every_charge_and_discharge_is_told_with_what_it_brings():
    lines = [line.split() for line in printed(four_hours()).splitlines()]
    assert ["01:00–02:00", "cell", "charges", "100", "kW", "100", "kWh", "20", "−2.00"] in lines
    assert ["03:00–04:00", "cell", "discharges", "90", "kW", "90", "kWh", "100", "+9.00"] in lines


def test_energies_spent_read_as_spending():
    assert "Spends 163.52 EUR, 72.85 less than leaving the battery idle." in printed(
        planned("shop", CHANGE_DAY.replace(day=24), CHANGE_DAY.replace(day=26))
    )


def test_a_repaired_plan_tells_its_repairs_before_the_money():
    repair = Repair(2, "least energy at the end", "cell", 19.0, "kWh", 180.0, 19.0, (3,))
    text = printed(four_hours(status=Status.REPAIRED, repairs=(repair,)))
    told = "battery cell cannot reach 90 % by 04:00: 19 kWh short."
    assert text.index("REPAIRED") < text.index(told) < text.index("Earns 7.00 EUR")


def test_a_limit_that_enters_the_model_twice_is_one_limit():
    text = printed(four_hours(limits=(limit(steps=(1,)), limit(steps=(3,), worth_per_unit=0.03)), import_limit_kw=1e3))
    assert text.count("cell: charge power 100 kW") == 1
    assert "01:00–02:00 + 1 more" in text
    assert "0.080 EUR/kW" in text


def test_many_stores_are_told_together():
    plan = four_hours(*(store(f"cell{k}") for k in range(9)))
    text = printed(plan, shows_bars=True)
    assert "01:00–02:00   9 stores   charges" in text
    assert "battery × 9" in text
    assert "900 kWh" in text


def test_a_table_that_is_too_wide_moves_together_and_then_breaks_its_rows_but_cuts_nothing():
    head, row = ("Limit", "when", "earns"), ("a name", "00:00", "1.5")
    assert list(table(head, [row], numbers_from=2, width=80))[1] == "  a name   00:00     1.5"
    assert list(table(head, [row], numbers_from=2, width=22))[1] == "  a name  00:00    1.5"
    assert list(table(head, [row], numbers_from=2, width=20))[2:] == ["  a name", "    00:00     1.5"]


def test_a_sparkline_runs_from_the_lowest_to_the_highest():
    assert sparkline([0, 7, 3, 1]) == "▁█▄▂"
    assert sparkline([5, 5]) == "▁▁"


def test_columns_average_the_steps_they_gather():
    columns = Columns(hours(48, 15), 12)
    assert columns.hours_each == 1
    assert columns.averages([float(k // 4) for k in range(48)]) == [float(k) for k in range(12)]


def test_hours_stand_above_the_columns_in_which_they_begin():
    assert Columns(hours(24), 24).scale() == "00 03 06 09 12 15 18 21"
    assert Columns(hours(96, 15), 48).scale() == "00    03    06    09    12    15    18    21"
    assert Columns(hours(16, 15), 16).scale() == "00          03"


def test_months_stand_above_the_columns_of_a_year():
    year = Horizon.of_local_days(CHANGE_DAY.replace(month=1, day=1), CHANGE_DAY.replace(month=12, day=31), "UTC", 3600)
    assert Columns(year, 60).scale().split()[:3] == ["Jan", "Feb", "Mar"]


def on_terminal(folder, *arguments, columns, **environment):
    """What the command shows on a real terminal of so many columns."""
    primary, secondary = pty.openpty()
    fcntl.ioctl(secondary, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    given = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "PYTHONUTF8": "1", "TERM": "xterm"} | environment
    with subprocess.Popen(command_line(*arguments), cwd=folder, env=given, stdout=secondary, stderr=secondary) as run:
        os.close(secondary)
        shown = b""
        while True:
            try:
                part = os.read(primary, 65536)
            except OSError:  # Linux says so when the other end is closed
                break
            if not part:
                break
            shown += part
    os.close(primary)
    assert run.returncode == 0
    return shown.decode().replace("\r\n", "\n")


TINY = ("plan", CONFIGS / "tiny.yaml", "--day", "2026-11-26", "--out", "plan")


@pytest.mark.parametrize("columns", [80, 120])
def test_a_terminal_sees_stages_sparklines_and_a_bold_status(folder, columns):
    shown = on_terminal(folder, *TINY, columns=columns)
    assert shown.index("read ") < shown.index("build ") < shown.index("solve ") < shown.index("Tiny site")
    assert BLOCKS & set(shown)
    assert "\033[1mOPTIMAL\033[0m" in shown
    assert max(len(line.replace("\033[1m", "").replace("\033[0m", "")) for line in shown.splitlines()) <= columns


def test_no_colour_is_shown_where_none_is_wanted(folder):
    shown = on_terminal(folder, *TINY, columns=80, NO_COLOR="1")
    assert "OPTIMAL" in shown
    assert "\033" not in shown


def test_ascii_shows_the_same_without_a_character_above_127(folder):
    shown = on_terminal(folder, *TINY, "--ascii", columns=80)
    assert shown.isascii()
    assert "?" not in shown
    assert "  stored  " in shown


def test_a_pipe_gets_the_summary_without_bars_colours_or_stages(folder, vpp):
    ran = vpp(*TINY)
    assert "Earns 807.66 CNY" in ran.out
    assert not BLOCKS & set(ran.out)
    assert "\033" not in ran.out
    assert ran.err == ""
    assert "plan.csv  positions.csv  plan.json  report.html" in ran.out
