"""A flywheel is led by nobody: no rung, order or signal sends it after energy."""

import pytest

from tests.optimizer.test_fast_storage import flywheel
from tests.snapshots import battery, course, load, override, reading, signal, snapshot
from vpp.control.decide import decide
from vpp.domain.override import Action
from vpp.safety import permits

UNITS = [battery("bess1", 1000.0, 2000.0), flywheel().unit(), load()]
MEASURED = [reading("bess1", 0.0, 1000.0), reading("fly1", -20.0, 50.0), reading("load1", -500.0, None)]
PLAN = course({"bess1": [100.0], "fly1": [-20.0], "load1": [-500.0]})


@pytest.mark.parametrize(
    ("followed", "fields", "moved_kw"),
    [
        (PLAN, {}, 100.0),
        (None, {}, 520.0),  # without a plan the battery covers the load, and what the flywheel draws
        (PLAN, {"overrides": (override(Action.SET_EXPORT_KW, 300.0),)}, 820.0),
        (PLAN, {"signal": signal(200.0)}, 300.0),
    ],
    ids=["plan", "rule", "order for the site", "signal"],
)
def test_a_flywheel_gets_no_set_point(followed, fields, moved_kw):
    told = snapshot(UNITS, MEASURED, **fields)
    decision = decide(told, followed)
    assert "fly1" not in decision.setpoints
    assert decision.setpoints["bess1"].export_kw == pytest.approx(moved_kw)
    assert "fly1" not in permits(told, decision)


def test_a_flywheel_that_is_not_heard_is_counted_at_its_rating():
    told = snapshot(UNITS, [MEASURED[0], MEASURED[2]], export_limit_kw=19_600.0)
    answers = permits(told, decide(told, course({"bess1": [500.0]})))
    # It may give 20,000 kW, of which the load takes 500.
    assert answers["bess1"].export_kw == pytest.approx(19_600 - 20_000 + 500)
