"""The lines of the README that override a site with mosquitto's own clients do what the README says."""

import os
import re
import shutil
import subprocess

import pytest

from tests.vpp.command import ROOT

HEADING = "<!-- an override by mosquitto_pub alone -->\n```sh\n"


@pytest.mark.skipif(shutil.which("mosquitto_pub") is None, reason="mosquitto's clients are not installed")
def test_the_override_of_the_readme_acts_and_ends_by_itself(site_at, mosquitto):
    lines = (ROOT / "README.md").read_text("utf-8").partition(HEADING)[2].partition("```")[0]
    assert re.search(r"mosquitto_sub .*&\n", lines)
    publishing = re.sub(r"mosquitto_sub .*&\n", "", lines)
    for shown, here in (
        ("mosquitto_pub ", f"mosquitto_pub -p {mosquitto.port} "),
        ('\\"duration_s\\": 60', '\\"duration_s\\": 3'),
    ):
        assert shown in publishing
        publishing = publishing.replace(shown, here)

    site = site_at(mosquitto)
    site.simulate()
    site.run_to_plan()
    since = site.ear.now()
    subprocess.run(["bash", "-euc", publishing], check=True, timeout=20, env={"PATH": os.environ["PATH"]})
    answer = site.ear.wait("op/ann/resp", seconds=5, since=since).document
    assert (answer["status"], answer["message"]) == ("accepted", "bess1 goes to 400 kW")
    site.wait_power("bess1", lambda kw: abs(kw - 400) < 20, 5, since)
    status = site.wait_status(lambda s: bool(s["overrides"]), 5, since)
    assert (status["in_control"], status["overrides"][0]["reason"]) == ("override", "grid operator called")
    ended = site.ear.wait("op/ann/resp", lambda h: h.document["status"] == "ended", 10, since).document
    assert (ended["id"], ended["code"]) == (answer["id"], "over")
    site.wait_power("bess1", lambda kw: abs(kw - 1000) < 20, 5, site.ear.now())
