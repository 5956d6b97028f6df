"""Records' bodies for tests: a plain tick of one battery, and whatever hypothesis makes of the types."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from math import inf
from typing import Any

from hypothesis import strategies as st

from vpp.domain.setpoint import Owner, Permit, Setpoint
from vpp.domain.snapshot import Decision, InControl, Snapshot
from vpp.domain.telemetry import Reading, Telemetry, Verdict
from vpp.domain.unit import Connection, Fallback, Kind, Mode, Unit
from vpp.records import _TYPES, Body, Decided, Entry, Event

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)


def event(text: str = "hello", at: datetime = NOW) -> Entry:
    """The smallest entry."""
    return Entry(at, Event("test", "site", text))


def decided(now: datetime = NOW, export_kw: float = 40.0, course_id: str | None = "p1") -> Decided:
    """One tick of a battery that is permitted what it wants."""
    unit = Unit("b1", Kind.STORAGE, 100.0, 100.0, True, inf, Fallback.HOLD, 0.0, 200.0, 20.0, 180.0)
    told = Telemetry("b1", now, "boot1", 7, 39.5, Mode.GFL, stored_kwh=101.25)
    setpoint = Setpoint("b1", export_kw, Owner.PLAN, "plan: discharges")
    permit = Permit("b1", export_kw, Mode.GFL, 60.0, inf, Owner.PLAN, "plan: discharges")
    snapshot = Snapshot(
        now,
        1.0,
        60.0,
        Connection(500.0, 500.0),
        (unit,),
        {"b1": Reading(Verdict.FRESH, told, 0.4)},
        course_id,
        True,
        (),
        None,
        {"b1": permit},
    )
    return Decided(snapshot, Decision(InControl.PLAN, 1, {"b1": setpoint}), {"b1": permit})


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal to the last bit; a number that is none equals itself."""
    if isinstance(one, Mapping):
        return [*one] == [*other] and all(same(one[key], other[key]) for key in one)
    if is_dataclass(one):
        return type(one) is type(other) and all(same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return repr(one) == repr(other) if isinstance(one, float) else one == other


def bodies() -> st.SearchStrategy[Body]:
    """Any body of any kind; numbers that are none, infinities and both zeros among its numbers."""
    return st.one_of([st.from_type(body) for body in _TYPES.values()])
