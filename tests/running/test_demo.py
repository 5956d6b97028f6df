"""The demo as a new user runs it: no broker, no site file, nothing to set up."""

import json
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.running.processes import Process
from tests.vpp.command import ROOT, command_line


def test_a_demo_of_one_day_says_what_it_earned_and_ends_with_0(tmp_path):
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "PYTHONUTF8": "1"}
    line = command_line("demo", "--once", "--json")
    done = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, check=False, timeout=400)
    assert done.returncode == 0, done.stderr.decode()
    summary = json.loads(done.stdout)
    assert summary["ticks"] == 86_401
    assert summary["alarms_seen"] == []
    assert summary["planned_share"] > 0.999
    assert summary["net"] - summary["idle_net"] > 500  # of some 900 that the published day has to give
    battery = summary["assets"]["bess1"]
    lossless_kwh = battery["in_kwh"] * 0.95 - battery["out_kwh"] / 0.95
    assert summary["stored_change_kwh"] == pytest.approx(lossless_kwh, abs=0.02 * battery["out_kwh"])
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_ends_a_demo_with_its_summary_and_130_and_leaves_nothing(tmp_path):
    demo = Process(tmp_path, "demo", "--speed", 600)
    try:
        until_s = time.monotonic() + 30
        while "PLAN" not in demo.told:
            assert time.monotonic() < until_s, demo.told
            time.sleep(0.1)
        children = demo.children()
        assert demo.signal(signal.SIGINT) == 130
    finally:
        demo.kill()
    assert "Earned" in demo.told
    (copy,) = set(re.findall(r"/tmp/vpp-demo-\w+", demo.told))
    assert not Path(copy).exists()
    assert children
    assert not [pid for pid in children if Path(f"/proc/{pid}/cmdline").exists()]
