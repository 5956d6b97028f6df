"""Whatever is wrong with a site file is named, with file, place, value and what is allowed, and nothing is written."""

import pytest

from tests.vpp.command import files_in, in_own_process
from tests.vpp.site_folder import LOAD_KW, MISSING, P24, changed, hourly, write_site


def without(section, key):
    return {name: value for name, value in section.items() if name != key}


BESS = ("assets", 0)
LOAD = ("assets", 1)
PRICES = ("markets", 0, "prices")
TWIN = {"id": "bess1", "type": "battery", "energy_capacity_kwh": 1, "charge_power_kw": 1, "discharge_power_kw": 1}
LAW = {"replacement_cost_per_kwh": 700, "cycle_life_count": 8000, "depth_exponent": 1.4}
MODEL = {"cell": "lfp_graphite_250ah", "age_years": 2}
AGEING = (*BESS, "ageing")
CASES = {
    "an unknown key": ((*BESS, "capacity_kw"), 5, "assets[0].capacity_kw", "5", "not a known key"),
    "an unknown key at the top": (("asets",), [], "asets", "[…]", 'Did you mean "assets"?'),
    "an unknown key of a series": ((*PRICES, "colum"), "x", "markets[0].prices.colum", '"x"', "not a known key"),
    "a percentage": ((*BESS, "initial_soc_fraction"), 50, "assets[0].initial_soc_fraction", "50", "Write 0.5."),
    "an efficiency above 1": ((*BESS, "charge_efficiency"), 1.05, "assets[0].charge_efficiency", "1.05",
                              "must be above 0 and at most 1"),
    "an efficiency in per cent": ((*BESS, "discharge_efficiency"), 95, "assets[0].discharge_efficiency", "95",
                                  "95 looks like a percentage. Write 0.95."),
    "an efficiency of nothing": ((*BESS, "charge_efficiency"), 0, "assets[0].charge_efficiency", "0", "above 0"),
    "a negative power": ((*BESS, "charge_power_kw"), -1, "assets[0].charge_power_kw", "-1", "at least 0"),
    "a store without room": ((*BESS, "energy_capacity_kwh"), 0, "assets[0].energy_capacity_kwh", "0", "above 0"),
    "text for a number": ((*BESS, "charge_power_kw"), "100", "assets[0].charge_power_kw", '"100"', "without quotes"),
    "a word for a number": ((*BESS, "charge_power_kw"), "much", "assets[0].charge_power_kw", '"much"', "a number"),
    "a switch for a number": ((*BESS, "charge_power_kw"), True, "assets[0].charge_power_kw", "true", "a number"),
    "NaN": ((*BESS, "charge_power_kw"), float("nan"), "assets[0].charge_power_kw", "nan", "must be a finite number"),
    "an infinite limit": (("connection", "import_limit_kw"), float("inf"), "connection.import_limit_kw", "inf",
                          "must be a finite number"),
    "a store that cannot hold its initial energy": ((*BESS, "min_soc_fraction"), 0.6, "assets[0].initial_soc_fraction",
                                                    "0.5", "must be 0.6 to 1"),
    "an end outside the window": ((*BESS, "final_soc_fraction"), 1.5, "assets[0].final_soc_fraction", "1.5", "0 to 1"),
    "two assets of one id": ((*LOAD, "id"), "bess1", "assets[1].id", '"bess1"', "already the id of an asset (line"),
    "an id with a space": ((*LOAD, "id"), "base load", "assets[1].id", '"base load"', "letters, digits"),
    "an id of nothing": ((*LOAD, "id"), "", "assets[1].id", '""', "letters, digits"),
    "an id that is a number": ((*LOAD, "id"), 7, "assets[1].id", "7", "must be text"),
    "an unknown type": ((*BESS, "type"), "baterry", "assets[0].type", '"baterry"', 'Did you mean "battery"?'),
    "no type": ((*BESS, "type"), MISSING, "assets[0].type", "–", "Known: battery, "),
    "an unknown product": (("markets", 0, "product"), "energy_dayahead", "markets[0].product", '"energy_dayahead"',
                           'Did you mean "energy_day_ahead"?'),
    "a market that is a word": (("markets", 0), "energy_day_ahead", "markets[0]", '"energy_day_ahead"', "a section"),
    "an unknown time zone": (("site", "timezone"), "Europe/Berln", "site.timezone", '"Europe/Berln"',
                             'Did you mean "Europe/Berlin"?'),
    "a time zone outside the list": (("site", "timezone"), "../etc/passwd", "site.timezone", '"../etc/passwd"',
                                     "not a known time zone"),
    "an odd step": (("site", "step_minutes"), 7, "site.step_minutes", "7", "one of 1, 2, 3, 4, 5, 6, 10, 12, 15"),
    "a currency in words": (("site", "currency"), "euro", "site.currency", '"euro"', "three capital letters"),
    "another edition": (("schema_version",), 2, "schema_version", "2", "must be 1"),
    "no edition": (("schema_version",), MISSING, "schema_version", "–", "required"),
    "no assets": (("assets",), [], "assets", "[…]", "at least 1"),
    "no markets": (("markets",), MISSING, "markets", "–", "required"),
    "an asset that is a word": (("assets", 1), "base", "assets[1]", '"base"', "a section"),
    "a section that is a list": (("connection",), [1], "connection", "[…]", "a section"),
    "a section that is empty": (("site",), None, "site", "–", "a section"),
    "no prices": (PRICES, MISSING, "markets[0].prices", "–", "prices is required for a product of kind energy"),
    "two energy products": (("markets", 1), {"product": "energy_day_ahead", "prices": {"file": "prices.csv",
                            "column": "price_per_mwh"}}, "markets", "[…]", "exactly one energy product"),
    "a reserve without a direction": (("markets", 1), {"product": {"id": "fcr", "kind": "capacity"}, "hold_kw": 5},
                                      "markets[1].product", "{…}", "direction must be up, down or symmetric"),
    "energy with a direction": (("markets", 0, "product"), {"id": "e", "kind": "energy", "direction": "up"},
                                "markets[0].product.direction", '"up"', "must be net for a product of kind energy"),
    "a held quantity of energy": (("markets", 0, "hold_kw"), 5, "markets[0].hold_kw", "5", "means nothing"),
    "a missing file": ((*PRICES, "file"), "prizes.csv", "markets[0].prices.file", '"prizes.csv"', "no such file"),
    "a missing column": ((*PRICES, "column"), "price", "markets[0].prices.column", '"price"',
                         "The file has start_utc, price_per_mwh."),
    "a column that is not named": ((*PRICES, "column"), MISSING, "markets[0].prices.column", "–", "column is required"),
    "a scale in words": ((*PRICES, "scale"), "thousand", "markets[0].prices.scale", '"thousand"', "must be a number"),
    "a scale that is NaN": ((*PRICES, "scale"), float("nan"), "markets[0].prices.scale", "nan", "finite number"),
    "a binding of no asset": (("devices",), {"bindings": {"bess2": {}}}, "devices.bindings.bess2", "",
                              'Did you mean "bess1"?'),
    "a broker elsewhere": (("devices",), {"broker": {"url": "mqtt://10.0.0.5:1883"}}, "devices.broker.url",
                           '"mqtt://10.0.0.5:1883"', "operators.mode is open"),
    "a broker that looks like this machine": (("devices",), {"broker": {"url": "mqtt://localhost.example.org"}},
                                              "devices.broker.url", '"mqtt://localhost.example.org"', "mode is open"),
    "a broker that is no address": (("devices",), {"broker": {"url": "127.0.0.1"}}, "devices.broker.url",
                                    '"127.0.0.1"', "must be an address of a broker"),
    "a port that is none": (("devices",), {"broker": {"url": "mqtt://127.0.0.1:x"}}, "devices.broker.url",
                            '"mqtt://127.0.0.1:x"', "must be an address of a broker"),
    "a lease of a second": (("devices",), {"lease_s": 1}, "devices.lease_s", "1", "must be 3 to 900"),
    "a place that is a number": ((*PRICES, "where"), {"region": 1}, "markets[0].prices.where.region", "1", "text"),
    "wear without a life": (AGEING, without(LAW, "cycle_life_count"), "assets[0].ageing", "{…}",
                            "needs cycle_life_count or cycle_coefficient"),
    "wear with two lives": (AGEING, LAW | {"cycle_coefficient": 1e-4}, "assets[0].ageing", "{…}", "and has both"),
    "wear without an exponent": (AGEING, without(LAW, "depth_exponent"), "assets[0].ageing.depth_exponent", "–",
                                 "depth_exponent is required"),
    "wear that deep cycles spare": (AGEING, LAW | {"depth_exponent": 0.5}, "assets[0].ageing.depth_exponent", "0.5",
                                    "must be at least 1"),
    "a life of no cycles": (AGEING, LAW | {"cycle_life_count": 0}, "assets[0].ageing.cycle_life_count", "0", "above 0"),
    "a life that is infinite": (AGEING, LAW | {"cycle_life_count": float("inf")}, "assets[0].ageing.cycle_life_count",
                                "inf", "must be a finite number"),
    "wear in half segments": (AGEING, LAW | {"segment_count": 2.5}, "assets[0].ageing.segment_count", "2.5", "whole"),
    "wear in a thousand segments": (AGEING, LAW | {"segment_count": 1000}, "assets[0].ageing.segment_count", "1000",
                                    "must be 1 to 100"),
    "a price of rest above full": (AGEING, LAW | {"calendar": [{"above_soc_fraction": 60, "price_per_mwh_h": 1}]},
                                   "assets[0].ageing.calendar[0].above_soc_fraction", "60", "Write 0.6."),
    "a price of rest that pays": (AGEING, LAW | {"calendar": [{"above_soc_fraction": 0.6, "price_per_mwh_h": -1}]},
                                  "assets[0].ageing.calendar[0].price_per_mwh_h", "-1", "at least 0"),
    "an unknown cell": (AGEING, LAW | {"calendar_model": MODEL | {"cell": "lfp_graphite_250"}},
                        "assets[0].ageing.calendar_model.cell", '"lfp_graphite_250"', "must be lfp_graphite_250ah"),
    "a store of no age": (AGEING, LAW | {"calendar_model": MODEL | {"age_years": 0}},
                          "assets[0].ageing.calendar_model.age_years", "0", "must be 0.01 to 50"),
    "a life that ends at the start": (AGEING, LAW | {"calendar_model": MODEL | {"end_of_life_soh_fraction": 1}},
                                      "assets[0].ageing.calendar_model.end_of_life_soh_fraction", "1", "below 1"),
    "two prices of rest": (AGEING, LAW | {"calendar": [{"above_soc_fraction": 0.6, "price_per_mwh_h": 1}],
                           "calendar_model": MODEL}, "assets[0].ageing.calendar_model", "{…}", "count rest twice"),
}  # fmt: skip
WORN_TWICE = "is given beside throughput_cost_per_mwh, which would count wear twice"


def test_wear_by_depth_and_by_throughput_at_once_is_refused(vpp, folder):
    (fault,) = vpp("check", write_site(folder, changed((AGEING, LAW))), "--json").faults
    assert (fault["path"], fault["value"], fault["problem"]) == ("assets[0].ageing", "{…}", WORN_TWICE)


@pytest.mark.parametrize("name", CASES)
def test_a_fault_is_named_with_its_place_its_value_and_what_is_allowed(vpp, folder, name):
    path, value, place, written, allowed = CASES[name]
    wears_by_throughput = path != AGEING
    without_price = [] if wears_by_throughput else [((*BESS, "throughput_cost_per_mwh"), MISSING)]
    site = write_site(folder, changed((path, value), *without_price))
    there = files_in(folder)
    for command in ("plan", "check"):
        told = vpp(command, site)
        assert (told.code, told.out) == (2, "")
        assert f"{site}: 1 fault\n" in told.err
        for words in (place, written, allowed, "exit 2"):
            assert words in told.err
        (fault,) = vpp(command, site, "--json").faults
        assert (fault["file"], fault["path"], fault["value"]) == (str(site), place, written)
        assert allowed in f"{fault['problem']} {fault['remedy']}"
    assert files_in(folder) == there


@pytest.mark.parametrize("reserved", ["dispatcher", "plan", "op", "market", "alarm", "feed", "site"])
def test_a_reserved_word_is_no_id(vpp, folder, reserved):
    (fault,) = vpp("plan", write_site(folder, changed(((*LOAD, "id"), reserved))), "--json").faults
    assert (fault["path"], fault["value"], fault["problem"]) == ("assets[1].id", f'"{reserved}"', "is reserved")


@pytest.mark.parametrize(
    "url", ["mqtt://127.0.0.1", "mqtt://localhost:1884", "mqtt://[::1]:1883", "mqtt://me@localhost"]
)
def test_a_broker_on_this_machine_is_no_fault(vpp, folder, url):
    told = vpp("check", write_site(folder, changed((("devices",), {"broker": {"url": url}}))))
    assert told.code == 0, told.err


def test_two_entries_of_one_product_are_refused(vpp, folder):
    product = {"id": "fcr", "kind": "capacity", "direction": "up"}
    site = changed((("markets", 1), {"product": product, "hold_kw": 1}),
                   (("markets", 2), {"product": product | {"direction": "down"}, "hold_kw": 1}))  # fmt: skip
    (fault,) = vpp("plan", write_site(folder, site), "--json").faults
    assert (fault["path"], fault["value"]) == ("markets[2].product", '"fcr"')
    assert fault["problem"].startswith("already the product of an entry (line ")


def test_a_fault_names_the_line_it_stands_on(vpp, folder):
    site = write_site(folder, changed(((*BESS, "charge_efficiency"), 7)))
    lines = site.read_text().splitlines()
    (fault,) = vpp("plan", site, "--json").faults
    assert "charge_efficiency: 7" in lines[fault["line"] - 1]


MANY = changed(
    (("site", "timezone"), "Europe/Paaris"),
    (("site", "step_mins"), 15),
    (("connection", "import_limit_kw"), -5),
    ((*BESS, "min_soc_fraction"), 10),
    ((*BESS, "discharge_efficiency"), 1.2),
    ((*LOAD, "id"), "plan"),
    ((*LOAD, "forecast", "column"), "load"),
    (("assets", 2), TWIN),
    (("assets", 3), {"id": "wind1", "type": "windmill"}),
    (("markets", 1), {"product": "fcr", "hold_kw": 5}),
)
FOUND = {
    "site.timezone", "site.step_mins", "connection.import_limit_kw", "assets[0].min_soc_fraction",
    "assets[0].discharge_efficiency", "assets[1].id", "assets[1].forecast.column", "assets[2].id", "assets[3].type",
    "markets[1].product",
}  # fmt: skip


def test_ten_faults_of_one_file_are_found_in_one_go(vpp, folder):
    site = write_site(folder, MANY)
    there = files_in(folder)
    faults = vpp("plan", site, "--json").faults
    assert {fault["path"] for fault in faults} == FOUND
    assert len(faults) == len(FOUND)
    assert [fault["line"] for fault in faults] == sorted(fault["line"] for fault in faults)
    assert f"{site}: 10 faults" in vpp("plan", site).err
    assert files_in(folder) == there


def test_faults_of_the_file_and_of_its_series_are_found_in_one_go(vpp, folder):
    site = write_site(
        folder,
        changed(((*BESS, "charge_efficiency"), 90), (("connection", "export_limit_kw"), "unlimited")),
        prices=hourly("price_per_mwh", [*P24[:20], "NaN"]),
        load=hourly("load_kw", ["?", *LOAD_KW[1:]]) + "2026-11-23T05:00:00Z,1\n",
    )
    faults = [(fault["path"], fault["problem"]) for fault in vpp("plan", site, "--day", "2026-11-23", "--json").faults]
    assert sorted(faults) == [
        ("assets[0].charge_efficiency", "must be above 0 and at most 1"),
        ("assets[1].forecast.file", "more than one row for 2026-11-23T05:00:00Z"),
        ("assets[1].forecast.file", "no number: '?' at 2026-11-23T00:00:00Z"),
        ("connection.export_limit_kw", "must be a number"),
        ("markets[0].prices.file", "no number: empty or NaN at 2026-11-23T20:00:00Z"),
        (
            "markets[0].prices.file",
            "no row for 2026-11-23T21:00:00Z, 2026-11-23T22:00:00Z, 2026-11-23T23:00:00Z",
        ),
    ]


def test_what_is_allowed_is_said_in_every_kind_of_section(vpp, folder):
    """Alternatives told apart by what is written, keys with a pattern, sections in sections."""
    direction = {"kind": "capacity", "direction": "up"}
    product = direction | {"id": "fcr", "reserve": {"energy_up_h": -1, "energy": 2}, "way": "up"}
    site = changed(
        (("markets", 1), {"product": product, "hold_kw": -5}),
        (("markets", 2), {"product": direction | {"id": "afrr"}, "hold_kw": {"file": "held.csv"}}),
        (("devices",), {"broker": {"urll": "x"}, "tick_s": 0, "bindings": {"bess1": {"dialect": "sunspec"}}}),
    )
    told = {
        fault["path"]: f"{fault['problem']}. {fault['remedy']}"
        for fault in vpp("check", write_site(folder, site), "--json").faults
    }
    allowed = {
        "markets[1].product.reserve.energy_up_h": "must be at least 0.",
        "markets[1].product.reserve.energy": 'Did you mean "energy_up_h"? Known: power, energy_up_h,',
        "markets[1].product.way": "Known: id, kind, direction,",
        "markets[1].hold_kw": "must be at least 0.",
        "markets[2].hold_kw.column": "column is required. Column that holds the values.",
        "devices.broker.urll": 'Did you mean "url"? Known: url,',
        "devices.tick_s": "must be above 0 and at most 60.",
        "devices.bindings.bess1.dialect": "vpp",
    }
    assert set(told) == set(allowed)
    for path, words in allowed.items():
        assert words in told[path]


def test_a_word_near_embedded_is_guessed(vpp, folder):
    (fault,) = vpp("check", write_site(folder, changed((("devices",), {"broker": "embeded"}))), "--json").faults
    assert (fault["path"], fault["problem"], fault["remedy"]) == (
        "devices.broker", "must be embedded", 'Did you mean "embedded"?',
    )  # fmt: skip


BROKEN = {
    "a bracket that is not closed": ("site: {id: a\nassets: []\n", "not YAML"),
    "a tab": ("site:\n\tid: a\n", "not YAML"),
    "a key that stands twice": ("schema_version: 1\nschema_version: 1\n", "duplicate key"),
    "a control character": ("site: \x01\n", "is not YAML"),
    "an alias of nothing": ("site: *nowhere\n", "undefined alias"),
    "a mapping in a list": ("- a: 1\n b: 2\n", "not YAML"),
    "two documents": ("a: 1\n---\nb: 2\n", "not YAML"),
    "a list that holds itself": ("assets: &a [*a]\n", "must be a section"),
    "nothing": ("", "must be a section"),
    "a word": ("hello\n", "must be a section"),
    "a list": ("- 1\n", "must be a section"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_is_no_site_file_is_refused(vpp, folder, name):
    text, told = BROKEN[name]
    site = write_site(folder, text)
    there = files_in(folder)
    faults = vpp("plan", site, "--json").faults
    assert any(told in fault["problem"] and fault["file"] == str(site) for fault in faults), faults
    assert files_in(folder) == there


def test_broken_yaml_is_shown_with_its_line(vpp, folder):
    (fault,) = vpp("plan", write_site(folder, "site:\n  id: small\n name: x\n"), "--json").faults
    assert (fault["line"], fault["value"]) == (3, "name: x")


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b"a" * 4_000_001])
def test_a_file_that_is_absent_not_text_or_huge_is_refused(vpp, folder, content):
    if content is not None:
        (folder / "site.yaml").write_bytes(content)
    (fault,) = vpp("plan", "site.yaml", "--json").faults
    assert fault["file"] == "site.yaml"
    assert fault["problem"]


def test_a_folder_is_no_site_file(vpp, folder):
    (fault,) = vpp("plan", folder, "--json").faults
    assert fault["problem"] == "cannot be read: Is a directory"


def test_a_real_process_refuses_with_code_2_and_one_json_document(folder):
    site = write_site(folder, MANY)
    there = files_in(folder)
    told = in_own_process(folder, "plan", site.name, "--json")
    assert {fault["path"] for fault in told.faults} == FOUND
    assert "10 faults" in told.err
    plain = in_own_process(folder, "plan", site.name)
    assert (plain.code, plain.out) == (2, "")
    assert "Traceback" not in plain.err
    assert files_in(folder) == there
