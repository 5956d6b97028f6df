"""What may stand on the command line of `vpp`, and how faults of it are told."""

import json
import subprocess
from datetime import UTC, datetime

import pytest

from tests.vpp.command import ROOT, command_line, files_in, in_own_process
from tests.vpp.site_folder import DAY, hourly, write_site

FAULTS = {
    "no day": (("--day", "tomorrow"), "--day", "'tomorrow' is no day; write it as 2026-11-23"),
    "a day that is none": (("--day", "2026-02-30"), "--day", "'2026-02-30' is no day"),
    "a day before all days": (("--day", "0001-01-01"), "--from, --to", "1970"),
    "the last of all days": (("--day", "9999-12-31"), "--from, --to", "9999"),
    "a span that ends before it begins": (("--from", DAY, "--to", "2026-11-20"), "--from, --to", "before it begins"),
    "a beginning alone": (("--from", DAY), "--from", "needs --to"),
    "an end alone": (("--to", DAY), "--to", "needs --from"),
    "a day and a span": (("--day", DAY, "--from", DAY), "", "not allowed with"),
    "now alone": (("--now", "2026-11-23T06:15:00Z"), "--now", "needs --state"),
    "a state alone": (("--state", "state.json"), "--state", "needs --now"),
    "no instant": (("--now", "noon", "--state", "s"), "--now", "'noon' is no instant; write it as 2026"),
    "an instant without a zone": (("--now", "2026-11-23T06:15:00", "--state", "s"), "--now", "is no instant"),
    "an unknown option": (("--dya", DAY), "", "--dya"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_the_command_line_is_refused_like_any_other(vpp, folder, name):
    options, place, told = FAULTS[name]
    site = write_site(folder)
    there = files_in(folder)
    (fault,) = vpp("plan", site, *options, "--json").faults
    assert fault["file"] == "command line"
    assert place in fault["path"]
    assert told in f"{fault['value']} {fault['problem']}"
    plain = vpp("plan", site, *options)
    assert (plain.code, plain.out) == (2, "")
    assert told in plain.err
    assert files_in(folder) == there


@pytest.mark.parametrize("arguments", [(), ("plan",), ("plot", "site.yaml"), ("check",)])
def test_what_is_missing_on_the_command_line_is_said(vpp, folder, arguments):
    assert vpp(*arguments).code == 2
    assert len(vpp(*arguments, "--json").faults) == 1


def test_several_options_without_their_partners_are_told_at_once(vpp, folder):
    told = vpp("plan", write_site(folder), "--to", DAY, "--now", "2026-11-23T06:15:00Z", "--json")
    assert [fault["path"] for fault in told.faults] == ["--to", "--now"]


def test_an_instant_outside_the_day_is_refused(vpp, folder):
    (folder / "state.json").write_text('{"bess1": {"stored_kwh": 1}}')
    options = ("--day", DAY, "--now", "2026-11-24T00:00:00Z", "--state", "state.json", "--json")
    (fault,) = vpp("plan", write_site(folder), *options).faults
    assert (fault["path"], fault["value"]) == ("--now", "2026-11-24T00:00:00+00:00")


def test_a_clock_change_of_half_an_hour_under_hourly_steps_is_refused(vpp, folder):
    text = write_site(folder).read_text().replace("timezone: UTC", "timezone: Australia/Lord_Howe")
    prices = hourly("price_per_mwh", range(24 * 400))
    told = vpp("plan", write_site(folder, text, prices=prices), "--day", "2027-04-04", "--json")
    fault = next(fault for fault in told.faults if fault["file"] == "command line")
    assert "choose a shorter step_minutes" in fault["problem"]


def test_the_default_day_is_looked_for_past_days_that_have_no_whole_number_of_steps(vpp, folder):
    """Hourly prices that begin on a day of 24.5 hours: the next day is planned."""
    text = write_site(folder).read_text().replace("timezone: UTC", "timezone: Australia/Lord_Howe")
    start = datetime(2026, 4, 4, 13, tzinfo=UTC)
    series = {"prices": hourly("price_per_mwh", range(100), start), "load": hourly("load_kw", [5] * 100, start)}
    told = vpp("plan", write_site(folder, text, **series), "--json")
    assert told.code == 0, told.err
    assert told.document["horizon"]["start_utc"] == "2026-04-05T13:30:00Z"


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_end_well(vpp, folder, option):
    with pytest.raises(SystemExit) as ended:
        vpp(option)
    assert ended.value.code == 0


def test_an_out_folder_that_is_a_file_is_refused(vpp, folder):
    (folder / "out").write_text("mine")
    (fault,) = vpp("plan", write_site(folder), "--json").faults
    assert (fault["file"], fault["path"], fault["value"]) == ("command line", "--out", '"out"')
    assert (folder / "out").read_text() == "mine"


def test_an_out_folder_that_cannot_be_made_is_refused(vpp, folder):
    (fault,) = vpp("plan", write_site(folder), "--out", "/proc/nothing/here", "--json").faults
    assert (fault["path"], fault["value"]) == ("--out", '"/proc/nothing/here"')


def test_a_reader_that_goes_away_is_no_fault_of_the_program(folder):
    given = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    write_site(folder)
    process = subprocess.Popen(
        command_line("check", "--schema"), cwd=folder, env=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    err = process.stderr.read().decode()
    process.stderr.close()
    process.wait(30)
    assert err == ""


def test_the_schema_of_the_site_file_is_a_json_schema_with_a_text_for_every_key(vpp, folder):
    told = vpp("check", "--schema")
    schema = json.loads(told.out)
    assert schema == vpp("check", "--schema", "--json").document
    assert set(schema["required"]) == {"schema_version", "site", "connection", "assets", "markets"}
    for definition in (schema, *schema["$defs"].values()):
        for name, field in definition.get("properties", {}).items():
            of_its_type = schema["$defs"][field["$ref"].rsplit("/", 1)[-1]] if "$ref" in field else {}
            assert field.get("description") or of_its_type.get("description"), name
        assert definition.get("additionalProperties", False) is False


def test_a_check_names_the_site_the_day_and_what_was_read(vpp, folder):
    site = write_site(folder)
    told = vpp("check", site)
    assert told.code == 0
    assert told.out.startswith(f"{site}: no faults\n")
    document = vpp("check", site, "--json").document
    assert document["site_id"] == "small"
    assert document["assets"] == ["bess1", "base"]
    assert document["next_day"] == DAY
    assert [premise["check"] for premise in document["premises"]] == ["24 rows cover 24 of 24 steps"] * 2
    assert files_in(folder) == {"site.yaml", "prices.csv", "load.csv"}


def test_ascii_output_holds_no_other_character(vpp, folder):
    text = write_site(folder).read_text().replace("Small site", "Kleine Anlage für Öl")
    told = vpp("plan", write_site(folder, text), "--ascii")
    assert told.out.isascii()
    assert "OPTIMAL" in told.out
    refused = vpp("plan", "nichts–da.yaml", "--ascii")
    assert refused.err.isascii()


def test_a_locale_without_unicode_gets_ascii(folder):
    told = in_own_process(folder, "plan", write_site(folder).name, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert told.code == 0, told.err
    assert told.out.isascii()
