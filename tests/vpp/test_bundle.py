"""A bundle carries a plan and all it was made from: made again it is the same, and a bundle that was touched is named.

Pain 15 of users of comparable systems, "same input, different results", and the seal that answers it.
"""

import json
import shutil
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from os import utime
from pathlib import Path

import pytest

from optimizer.planner import plan
from tests.sites import P24
from tests.vpp.command import files_in
from tests.vpp.site_folder import DAY, changed, hourly, write_site
from vpp.bundle import digest_of
from vpp.domain.plan import Status

LONG_AGO = datetime(2026, 11, 1, tzinfo=UTC).timestamp()
ONE_RUN = {"created_utc", "timing_s", "seal"}


@pytest.fixture
def bundle(vpp, folder) -> Path:
    """The bundle of a small site's plan."""
    assert vpp("plan", write_site(folder), "--day", DAY, "--bundle").code == 0
    return folder / "out" / "run.zip"


def rewritten(bundle: Path, change, *, name: str = "touched.zip") -> Path:
    """A copy of a bundle, its members given by `change({name: bytes})`."""
    with zipfile.ZipFile(bundle) as archive:
        members = change({info.filename: archive.read(info) for info in archive.infolist()})
    path = bundle.with_name(name)
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    return path


def with_manifest(members, edit):
    """The members, with a manifest that `edit` changed in place."""
    manifest = json.loads(members["manifest.json"])
    edit(manifest)
    return members | {"manifest.json": json.dumps(manifest)}


def uncertain_bundle(vpp, folder):
    """The bundle of the small site under two loads."""
    load = hourly("low,high", [f"{20 + hour},{40 + hour}" for hour in range(24)])
    forecast = {"file": "load.csv", "scenarios": ["low", "high"]}
    site = write_site(folder, changed((("assets", 1, "forecast"), forecast)), load=load)
    assert vpp("plan", site, "--day", DAY, "--bundle").code == 0
    return folder / "out" / "run.zip"


def test_a_bundle_of_scenarios_planned_again_gives_the_same_plan(vpp, folder):
    ran = vpp("replay", uncertain_bundle(vpp, folder), "--json")
    assert ran.code == 0, ran.err
    assert ran.document["differences"] == []


def test_a_table_of_scenarios_that_was_touched_or_left_out_is_named(vpp, folder):
    bundle = uncertain_bundle(vpp, folder)
    touched = rewritten(bundle, lambda m: m | {"outputs/scenarios.csv": m["outputs/scenarios.csv"] + b"\n"})
    (fault, *_) = vpp("replay", touched, "--json").faults
    assert "outputs/scenarios.csv" in fault["path"]
    less = rewritten(bundle, lambda m: {name: data for name, data in m.items() if name != "outputs/scenarios.csv"})
    (fault, *_) = vpp("replay", less, "--json").faults
    assert "outputs/scenarios.csv" in fault["path"]


def test_a_bundle_planned_again_anywhere_gives_the_same_plan(vpp, bundle, folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    shutil.move(bundle, elsewhere / "run.zip")
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    ran = vpp("replay", elsewhere / "run.zip", "--json")
    assert ran.code == 0, ran.err
    assert ran.document["is_same"]
    assert ran.document["differences"] == []
    assert ran.document["versions"] == {}
    assert files_in(folder) == set()


def test_the_age_of_an_input_is_that_of_the_file_that_was_read_wherever_the_bundle_is(vpp, folder):
    site = write_site(folder)
    for name in ("prices.csv", "load.csv"):
        utime(folder / name, (LONG_AGO, LONG_AGO))
    document = vpp("plan", site, "--day", DAY, "--bundle", "--json").document
    assert {premise["age_s"] for premise in document["premises"]} == {22 * 86_400}
    assert vpp("replay", "out/run.zip").code == 0


def test_a_bundle_holds_the_inputs_as_they_were_the_versions_and_all_outputs(bundle, folder):
    with zipfile.ZipFile(bundle) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        for name in ("site.yaml", "prices.csv", "load.csv"):
            assert archive.read(f"inputs/{name}") == (folder / name).read_bytes()
        for name in ("plan.csv", "positions.csv", "plan.json", "report.html"):
            assert archive.read(f"outputs/{name}") == (folder / "out" / name).read_bytes()
        names = {"manifest.json", *(member["member"] for member in manifest["members"])}
        assert set(archive.namelist()) == names
    assert set(manifest["versions"]) == {"python", "vpp-dispatcher", "highspy", "pyomo", "numpy", "pandas"}


def test_an_unpacked_bundle_is_a_site_that_plans(vpp, bundle, folder):
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(folder / "unpacked")
    ran = vpp("plan", "unpacked/inputs/site.yaml", "--day", DAY, "--out", "again")
    assert ran.code == 0, ran.err
    assert (folder / "again" / "plan.csv").read_bytes() == (folder / "out" / "plan.csv").read_bytes()


def test_two_bundles_of_the_same_inputs_differ_only_in_what_belongs_to_one_run(vpp, bundle, folder):
    first = {info.filename: info for info in zipfile.ZipFile(bundle).infolist()}
    assert vpp("plan", "site.yaml", "--day", DAY, "--bundle", "--out", "twin").code == 0
    second = zipfile.ZipFile(folder / "twin" / "run.zip")
    differ = {info.filename for info in second.infolist() if first[info.filename].CRC != info.CRC}
    assert differ == {"manifest.json", "outputs/plan.json", "outputs/report.html"}
    documents = [json.loads((folder / out / "plan.json").read_text()) for out in ("out", "twin")]
    assert {key for key in documents[0] if documents[0][key] != documents[1][key]} <= ONE_RUN


def test_a_bundle_carries_prices_and_files_that_lie_elsewhere_and_a_measured_state(vpp, folder, tmp_path_factory):
    away = tmp_path_factory.mktemp("away")
    (folder / "sites").mkdir()
    site = changed((("assets", 1, "forecast", "file"), "../shared/load.csv"))
    path = write_site(folder / "sites", site)
    (folder / "shared").mkdir()
    shutil.move(folder / "sites" / "load.csv", folder / "shared" / "load.csv")
    (away / "mine.csv").write_text(hourly("price_per_mwh", [price + 1 for price in P24]), "utf-8")
    (folder / "state.yaml").write_text("bess1: {stored_kwh: 120}\n", "utf-8")
    options = ("--now", f"{DAY}T06:20:30Z", "--state", "state.yaml", "--prices", away / "mine.csv")
    assert vpp("plan", path, *options, "--bundle").code == 0
    with zipfile.ZipFile(folder / "out" / "run.zip") as archive:
        names = archive.namelist()
    assert {"inputs/site.yaml", "state/state.yaml", "elsewhere/2-load.csv", "elsewhere/3-mine.csv"} <= set(names)
    bundle = shutil.move(folder / "out" / "run.zip", folder / "run.zip")
    shutil.rmtree(folder / "shared")
    shutil.rmtree(away)
    (folder / "state.yaml").unlink()
    ran = vpp("replay", bundle)
    assert ran.code == 0, ran.out + ran.err
    assert "the same plan, byte by byte" in ran.out


def test_what_comes_out_otherwise_is_named_by_path_and_both_values(vpp, bundle, monkeypatch):
    monkeypatch.setattr("vpp.commands.replay_bundle.plan", cheaper)
    ran = vpp("replay", bundle, "--json")
    assert ran.code == 1
    assert not ran.document["is_same"]
    found = {each["path"]: each for each in ran.document["differences"]}
    recorded = json.loads((bundle.parent / "plan.json").read_text())
    assert found["objective.net"]["bundle"] == str(recorded["objective"]["net"])
    assert float(found["objective.net"]["now"]) == pytest.approx(recorded["objective"]["net"] - 5)
    assert set(found) == {"objective.net", "objective.tariff"}
    assert "objective.tariff: 0.0, now -5.0" in vpp("replay", bundle).out


def cheaper(problem, created, watch=None):
    """A plan as another version might make it: with a fee that the bundle's does not know."""
    made = plan(problem, created, watch)
    return replace(made, money=replace(made.money, tariff=-5.0))


def test_a_plan_whose_search_ended_early_is_said_to_come_out_otherwise_for_that(vpp, bundle, monkeypatch):
    def ended(problem, created, watch=None):
        return replace(cheaper(problem, created, watch), status=Status.FEASIBLE)

    monkeypatch.setattr("vpp.commands.replay_bundle.plan", ended)
    assert "The search ended before it knew the best plan" in vpp("replay", bundle).out
    assert vpp("replay", bundle, "--json").document["ended_early"]
    monkeypatch.setattr("vpp.commands.replay_bundle.plan", cheaper)
    assert "ended before" not in vpp("replay", bundle).out


def test_other_versions_than_now_are_named(vpp, bundle):
    def older(manifest):
        manifest["versions"]["highspy"] = "1.2.3"

    path = rewritten(bundle, lambda members: with_manifest(members, older))
    ran = vpp("replay", path)
    assert ran.code == 0
    assert "made with highspy 1.2.3, this is " in ran.out
    assert vpp("replay", path, "--json").document["versions"]["highspy"]["bundle"] == "1.2.3"


def without(name):
    return lambda members: {key: data for key, data in members.items() if key != name}


def other_prices(members):
    return members | {"inputs/prices.csv": hourly("price_per_mwh", [price + 1 for price in P24]).encode()}


def sealed_anew(members):
    """Prices changed, and the manifest with them."""
    members = other_prices(members)

    def edit(manifest):
        for member in manifest["members"]:
            member["digest"] = digest_of(members[member["member"]])

    return with_manifest(members, edit)


def rewritten_plan(members):
    """A plan that claims to earn more, with a digest to match."""
    document = json.loads(members["outputs/plan.json"])
    document["objective"]["net"] += 1000
    members = members | {"outputs/plan.json": json.dumps(document).encode()}

    def edit(manifest):
        for member in manifest["members"]:
            if member["name"] == "plan.json":
                member["digest"] = digest_of(members["outputs/plan.json"])

    return with_manifest(members, edit)


BROKEN = {
    "a member less": (without("inputs/prices.csv"), "inputs/prices.csv", "is missing"),
    "no manifest": (without("manifest.json"), "manifest.json", "is not there"),
    "no plan": (without("outputs/plan.json"), "outputs/plan.json", "is missing"),
    "a changed input": (other_prices, "inputs/prices.csv", "was changed"),
    "a changed input and its digest": (sealed_anew, "inputs/prices.csv", "is not what the plan was made from"),
    "a changed plan and its digest": (rewritten_plan, "seal", "was changed since it was written"),
    "a member more": (lambda m: m | {"inputs/extra.csv": b"x"}, "inputs/extra.csv", "is not in manifest.json"),
    "a way out upwards": (lambda m: m | {"../evil": b"x"}, "../evil", "leads out of the folder"),
    "a way out inside": (lambda m: m | {"inputs/../../evil": b"x"}, "inputs/../../evil", "leads out"),
    "an absolute path": (lambda m: m | {"/etc/evil": b"x"}, "/etc/evil", "leads out"),
    "a backslash": (lambda m: m | {"inputs\\evil": b"x"}, "inputs\\evil", "leads out"),
    "another edition": (
        lambda m: with_manifest(m, lambda manifest: manifest.update(bundle_version=2)),
        "bundle_version",
        "must be 1",
    ),
    "a manifest of nothing": (lambda m: m | {"manifest.json": b"[]"}, "manifest.json", "is none"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_bundle_that_is_not_as_it_was_written_is_refused_in_words(vpp, bundle, folder, name):
    change, place, problem = BROKEN[name]
    path = rewritten(bundle, change)
    before = files_in(folder)
    ran = vpp("replay", path, "--json")
    faults = {fault["path"]: fault["problem"] for fault in ran.faults}
    assert problem in faults[place]
    assert ran.document["error"]["consequence"] == "nothing was replayed"
    assert files_in(folder) == before


@pytest.mark.parametrize("damage", ["cut", "flipped", "text", "empty"])
def test_a_damaged_bundle_is_refused_in_words(vpp, bundle, damage):
    data = bytearray(bundle.read_bytes())
    if damage == "cut":
        data = data[: len(data) // 2]
    elif damage == "flipped":
        with zipfile.ZipFile(bundle) as archive:
            info = archive.getinfo("inputs/prices.csv")
        at = info.header_offset + 30 + len(info.filename) + 20
        data[at : at + 8] = bytes(byte ^ 0xFF for byte in data[at : at + 8])
    else:
        data = bytearray(b"not a bundle" if damage == "text" else b"")
    path = bundle.with_name("damaged.zip")
    path.write_bytes(data)
    (fault,) = vpp("replay", path, "--json").faults
    assert "is damaged" in fault["problem"]


def test_every_fault_of_a_bundle_is_named_at_once(vpp, bundle):
    path = rewritten(bundle, lambda m: without("inputs/load.csv")(other_prices(m)))
    assert {f["path"] for f in vpp("replay", path, "--json").faults} == {"inputs/load.csv", "inputs/prices.csv"}


def test_a_bundle_that_is_not_there_or_a_state_beside_it_is_refused(vpp, bundle):
    assert "cannot be read" in vpp("replay", "no.zip", "--json").faults[0]["problem"]
    assert "means nothing for a bundle" in vpp("replay", bundle, "--state", "x", "--json").faults[0]["problem"]


def test_names_of_series_that_would_collide_in_a_bundle_are_kept_apart(vpp, folder):
    site = changed((("assets", 1, "forecast", "file"), "./load.csv"))
    site["assets"].append({"id": "more", "type": "load", "forecast": {"file": "load.csv", "column": "load_kw"}})
    assert vpp("plan", write_site(folder, site), "--day", DAY, "--bundle").code == 0
    ran = vpp("replay", "out/run.zip")
    assert ran.code == 0, ran.out + ran.err
