"""Random sites for tests of control and safety: sound ones, and ones where anything may be said."""

from datetime import timedelta
from math import inf, nan

from hypothesis import strategies as st

from tests.snapshots import NOW, battery, in_force, limits, load, reading, signal, snapshot, solar
from vpp.domain.override import SITE, Action, Override
from vpp.domain.setpoint import Owner, Setpoint
from vpp.domain.snapshot import Decision, InControl, Snapshot
from vpp.domain.telemetry import Quality, Reading, Verdict
from vpp.domain.unit import Kind, Mode, Unit

NAMES = ("a", "b", "c", "d")
ANY_KW = st.one_of(st.floats(), st.sampled_from([nan, inf, -inf, 0.0, -0.0, 1e308]), st.floats(-2000.0, 2000.0))
RATING_KW = st.integers(0, 1000).map(float)
LIMIT_KW = st.integers(0, 500).map(float)
SHARE = st.integers(0, 20).map(lambda twentieths: twentieths / 20)


def between(low: float, high: float) -> st.SearchStrategy[float]:
    """Twentieths of the way from one number to another; both ends are exact."""
    return SHARE.map(lambda share: max(low, min(high, low + share * (high - low))))


WANTED_KW = between(-1000.0, 1000.0) | st.sampled_from([-1000.0, 1000.0])


@st.composite
def units(draw: st.DrawFn) -> tuple[Unit, ...]:
    """A load, generation and a store as a rule, or one to four assets of any kind."""
    kinds = draw(
        st.just([Kind.CONSUMPTION, Kind.GENERATION, Kind.STORAGE, Kind.STORAGE])
        | st.lists(st.sampled_from(Kind), min_size=1, max_size=len(NAMES))
    )
    return tuple(draw(unit(name, kind)) for name, kind in zip(NAMES, kinds, strict=False))


@st.composite
def unit(draw: st.DrawFn, name: str, kind: Kind) -> Unit:
    """An asset of a kind."""
    ramp_kw_per_s = draw(st.sampled_from([inf, inf, inf, 0.0, 80.0]))
    if kind is Kind.CONSUMPTION:
        return load(name)
    if kind is Kind.GENERATION:
        return solar(name, draw(RATING_KW), ramp_kw_per_s=ramp_kw_per_s, is_controllable=bool(draw(st.integers(0, 3))))
    return battery(
        name,
        energy_kwh=draw(st.floats(1.0, 1000.0)),
        charge_kw=draw(RATING_KW),
        discharge_kw=draw(RATING_KW),
        ramp_kw_per_s=ramp_kw_per_s,
        charge_efficiency=draw(st.floats(0.5, 1.0)),
        discharge_efficiency=draw(st.floats(0.5, 1.0)),
        cost_per_mwh=draw(st.sampled_from([0.0, 10.0, 20.0])),
    )


@st.composite
def any_reading(draw: st.DrawFn, name: str) -> Reading:
    """Whatever a device may say, numbers or not."""
    live = draw(st.none() | st.builds(limits, ANY_KW, ANY_KW))
    return reading(
        name,
        draw(ANY_KW),
        draw(st.none() | ANY_KW),
        limits=live,
        mode=draw(st.sampled_from(Mode)),
        quality=draw(st.sampled_from(Quality)),
        verdict=draw(st.sampled_from(Verdict)),
        follows=draw(st.booleans()),
    )


@st.composite
def overrides(draw: st.DrawFn) -> tuple[Override, ...]:
    """Up to four orders, sensible or not."""
    values = st.none() | ANY_KW | st.sampled_from([mode.value for mode in Mode])
    return tuple(
        Override(
            f"r{index}",
            "ada",
            draw(st.sampled_from((*NAMES, SITE))),
            draw(st.sampled_from(Action)),
            draw(values),
            "a test",
            NOW + timedelta(seconds=draw(st.integers(-9, 0))),
            NOW + timedelta(hours=1),
        )
        for index in range(draw(st.integers(0, 4)))
    )


@st.composite
def any_snapshot(draw: st.DrawFn) -> Snapshot:
    """A site of which anything may be said."""
    assets = draw(units())
    told = [draw(any_reading(unit.id)) for unit in assets if draw(st.integers(0, 9))]
    last = [in_force(unit.id, draw(ANY_KW), draw(st.sampled_from(Mode))) for unit in assets if draw(st.booleans())]
    return snapshot(
        assets,
        told,
        permits=last,
        import_limit_kw=draw(st.floats(0.0, 2000.0) | ANY_KW),
        export_limit_kw=draw(st.floats(0.0, 2000.0) | ANY_KW),
        overrides=draw(overrides()),
        signal=draw(st.none() | st.builds(signal, ANY_KW)),
        is_planner_well=draw(st.booleans()),
        reclaimed=draw(st.sampled_from([(), ("a",), ("stranger",)])),
    )


@st.composite
def sound_snapshot(draw: st.DrawFn) -> Snapshot:
    """A site where every device is heard, follows, and is within its limits."""
    assets = draw(units())
    told, last = [], []
    for unit in assets:
        export_kw = draw(between(-unit.charge_kw, unit.discharge_kw))
        stored_kwh = None
        if unit.floor_kwh is not None and unit.ceiling_kwh is not None:
            stored_kwh = draw(between(unit.floor_kwh, unit.ceiling_kwh))
        told.append(reading(unit.id, export_kw, stored_kwh))
        if unit.is_controllable and draw(st.booleans()):
            ceiling_kw = unit.discharge_kw if unit.kind is Kind.GENERATION else export_kw
            last.append(in_force(unit.id, draw(between(min(export_kw, ceiling_kw), ceiling_kw))))
    return snapshot(
        assets,
        told,
        permits=last,
        import_limit_kw=draw(LIMIT_KW),
        export_limit_kw=draw(LIMIT_KW),
    )


@st.composite
def any_decision(draw: st.DrawFn) -> Decision:
    """Anything that might be wanted."""
    wanted = {
        name: Setpoint(name, draw(ANY_KW), Owner.PLAN, "test", draw(st.sampled_from(Mode)))
        for name in (*NAMES, "stranger")
        if draw(st.integers(0, 9))
    }
    return Decision(InControl.PLAN, 1, wanted)


@st.composite
def sound_decision(draw: st.DrawFn) -> Decision:
    """Numbers that might be wanted of grid-following units."""
    wanted = {name: Setpoint(name, draw(WANTED_KW), Owner.PLAN, "test") for name in NAMES}
    return Decision(InControl.PLAN, 1, wanted)
