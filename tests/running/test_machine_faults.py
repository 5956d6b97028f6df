"""A machine whose disk is full, whose clock is set or whose power fails: set-points go on, or come back alone."""

import subprocess
import time
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest

from tests.running.ear import Ear
from tests.running.invariants import check
from tests.running.processes import Site, alarms
from tests.running.site_copy import FULL_KW, LEASE_S, write_copy

FAKETIME = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)
RESTARTED_WITHIN_S = 3.0


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a small disk can be mounted by root only")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_stops_new_overrides_but_no_set_points_and_recovers_by_itself(tmp_path, small_disk, embedded):
    with ExitStack() as stack:
        ear = stack.enter_context(Ear(embedded.port))
        site = Site(write_copy(tmp_path, embedded.url), ear)
        site.state = small_disk / "state"
        stack.callback(lambda: check(ear.heard, site.state))
        stack.callback(site.end)
        site.simulate()
        daemon = site.run_to_plan("--state", site.state)
        fill(small_disk / "ballast")
        since = ear.now()
        site.wait_alarm("journal_failed", "site", 10)
        answer = ear.ask(ear.request("bess1", "set_export_kw", 100))
        assert (answer["status"], answer["code"]) == ("rejected", "no_journal")
        for _ in range(2):
            ear.wait("bess1/ack", lambda heard: heard.document["status"] == "accepted", LEASE_S, since)
            since = ear.now()
        assert site.latest()["assets"]["bess1"]["export_kw"] == pytest.approx(FULL_KW, abs=20)
        (small_disk / "ballast").unlink()
        site.wait_cleared("journal_failed", "site", 10)
        assert ear.ask(ear.request("bess1", "set_export_kw", 100))["status"] == "accepted"
        assert daemon.is_alive()


def fill(path: Path) -> None:
    """Take all space that is left."""
    with path.open("wb", buffering=0) as ballast:
        for size in (65_536, 4096, 1):
            try:
                while True:
                    ballast.write(b"x" * size)
            except OSError:
                continue


@pytest.mark.skipif(FAKETIME is None, reason="libfaketime is not installed")
def test_a_clock_that_jumps_is_named_leases_keep_their_time_and_all_is_well_once_it_is_right(site):
    shown = site.folder / "shown"
    shown.write_text("+0s", "ascii")
    site.simulate()
    site.run_to_plan(
        LD_PRELOAD=str(FAKETIME), FAKETIME_TIMESTAMP_FILE=str(shown), FAKETIME_NO_CACHE="1",
        FAKETIME_DONT_FAKE_MONOTONIC="1", FAKETIME_DONT_RESET="1",
    )  # fmt: skip
    site.wait_power("bess1", lambda kw: kw > FULL_KW - 20, 10, since=0)
    since = site.ear.now()
    shown.write_text("+3600s", "ascii")
    alarm = site.wait_alarm("clock_jump", "site", 10)
    assert "+3,600 s" in alarm["message"]
    refused = site.ear.wait("bess1/ack", lambda h: h.document["status"] == "rejected", 5, since)
    assert refused.document["reason"].startswith("early")
    site.ear.wait("bess1/ack", lambda h: h.document["status"] == "expired", 6, since)
    site.wait_power("bess1", lambda kw: abs(kw) < 20, 5, since)
    since = site.ear.now()
    shown.write_text("+0s", "ascii")
    site.ear.wait("bess1/ack", lambda h: h.document["status"] == "accepted", 5, since)
    site.wait_power("bess1", lambda kw: kw > FULL_KW - 20, 5, since)
    ticks = [h.at_s for h in site.ear.all("dispatcher/status")]
    assert max(b - a for a, b in pairwise(ticks)) < LEASE_S, "the loop went on"


def test_after_kill_9_the_first_valid_set_point_comes_within_seconds(site):
    site.simulate()
    daemon = site.run_to_plan()
    daemon.kill()
    since, killed_s = site.ear.now(), time.monotonic()
    site.run()
    first = site.ear.wait(
        "bess1/ack", lambda h: h.document["status"] == "accepted" and h.document["epoch"] == 2, 10, since
    )
    assert first.at_s - killed_s < 2 * RESTARTED_WITHIN_S, "twice the figure, which is measured on a quiet machine"
    status = site.wait_status(lambda s: s["rung"] == 1, 5, since)
    assert status["plan"]["age_s"] > 0
    assert ("no_plan", "site") not in alarms(status)
