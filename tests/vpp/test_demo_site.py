"""A demo of any shipped site finds the series that the site refers to."""

import pytest

from tests.vpp.command import ROOT
from vpp.demo_site import copied, first_midnight, parsed

SITES = sorted(path.stem for path in (ROOT / "site_configs").glob("*.yaml"))


@pytest.mark.parametrize("name", SITES)
def test_every_shipped_site_can_be_shown(name):
    with copied(name, "mqtt://127.0.0.1:1883") as path:
        assert first_midnight(path, parsed(path)).minute == 0
