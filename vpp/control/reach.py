"""How far can an asset go, now and in the coming tick?"""

from math import isfinite

from vpp.domain.snapshot import Snapshot, Span
from vpp.domain.telemetry import Telemetry
from vpp.domain.unit import Kind, Unit

PROBE_SHARE = 0.05
"""Generation that is held back is believed to have so much of its rating more, until it shows otherwise."""
HELD_SHARE = 0.01
"""Generation within this share of its rating below its ceiling is held back by it."""


def heard(snapshot: Snapshot, unit: Unit) -> Telemetry | None:
    """What a device says of itself; `None` where that may not be used."""
    reading = snapshot.readings.get(unit.id)
    told = None if reading is None else reading.fresh
    return told if told is not None and isfinite(told.export_kw) else None


def is_held_back(snapshot: Snapshot, unit: Unit) -> bool:
    """Whether generation is at its ceiling, so that nobody knows how much more there is."""
    measured, permit = heard(snapshot, unit), snapshot.permits.get(unit.id)
    if measured is None or permit is None:
        return False
    return measured.export_kw >= permit.export_kw - HELD_SHARE * unit.discharge_kw


def able(snapshot: Snapshot, unit: Unit) -> Span:
    """Lowest and highest export that an asset can keep up for a lease, whatever it does now; 0 for one not heard.

    A device that does not do what it was permitted is taken at its measured power: what it leaves undone is there for
    others to deliver. Sun and wind give what is measured, and a little more where their ceiling holds them back.
    """
    measured = heard(snapshot, unit)
    if measured is None:
        return 0.0, 0.0
    if not snapshot.readings[unit.id].follows:
        return measured.export_kw, measured.export_kw
    low_kw, high_kw = -unit.charge_kw, unit.discharge_kw
    if measured.limits is not None:
        low_kw = max(low_kw, -_at_least_zero(measured.limits.charge_kw))
        high_kw = min(high_kw, _at_least_zero(measured.limits.discharge_kw))
    if unit.kind is Kind.GENERATION:
        probe_kw = PROBE_SHARE * unit.discharge_kw if is_held_back(snapshot, unit) else 0.0
        return low_kw, max(low_kw, min(high_kw, measured.export_kw + probe_kw))
    if unit.kind is Kind.STORAGE:
        charge_kw, discharge_kw = _kept_up(snapshot, unit, measured.stored_kwh)
        return max(low_kw, -charge_kw), min(high_kw, discharge_kw)
    return low_kw, high_kw


def reach(snapshot: Snapshot, unit: Unit) -> Span:
    """Lowest and highest export that an asset can deliver in the coming tick; a limit wins over the ramp."""
    low_kw, high_kw = able(snapshot, unit)
    measured = heard(snapshot, unit)
    if measured is None or not snapshot.readings[unit.id].follows:
        return low_kw, high_kw
    permit = snapshot.permits.get(unit.id)
    start_kw = measured.export_kw if permit is None or unit.kind is Kind.GENERATION else permit.export_kw
    span_kw = unit.ramp_kw_per_s * snapshot.tick_s
    return max(low_kw, min(high_kw, start_kw - span_kw)), max(low_kw, min(high_kw, start_kw + span_kw))


def _kept_up(snapshot: Snapshot, unit: Unit, stored_kwh: float | None) -> Span:
    """Charge and discharge power that the store's window leaves for the length of a lease."""
    if stored_kwh is None or unit.floor_kwh is None or unit.ceiling_kwh is None:
        return 0.0, 0.0
    hours = snapshot.lease_s / 3600
    return (
        _at_least_zero(unit.ceiling_kwh - stored_kwh) / unit.charge_efficiency / hours,
        _at_least_zero(stored_kwh - unit.floor_kwh) * unit.discharge_efficiency / hours,
    )


def _at_least_zero(value: float) -> float:
    """The value, or zero for what is negative or no number."""
    return value if value > 0 else 0.0
