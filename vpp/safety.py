"""May this go out? The gate before every device: a total function that narrows, and in doubt refuses.

1. An operator or the device itself can always take control back.
2. No permit exceeds the device's limits, moves faster than its ramp, would leave the store's window within its lease,
   or takes the site over its connection limit; none outlives its lease.

Nothing here is shared with the code that makes set-points.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from vpp.domain.setpoint import Permit, Refusal, Setpoint
from vpp.domain.snapshot import Decision, Outcome, Snapshot
from vpp.domain.telemetry import Telemetry, Verdict
from vpp.domain.unit import Kind, Mode, Unit

FORMING = (Mode.GFM_DROOP, Mode.GFM_VSM, Mode.GFM_ISOCHRONOUS)
EXPORT, IMPORT = 1, -1
"""Directions at the connection: the sign that makes its power positive."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a permit may lie, and which limits make its ends."""

    low_kw: float
    high_kw: float
    low_name: str
    high_name: str

    def inside(self, low_kw: float, high_kw: float, low_name: str, high_name: str) -> "Interval":
        """What of it lies inside harder bounds; where nothing does, the nearest of these."""
        return Interval(
            _nearest(self.low_kw, low_kw, high_kw),
            _nearest(self.high_kw, low_kw, high_kw),
            low_name if self.low_kw < low_kw else self.low_name,
            high_name if self.high_kw > high_kw else self.high_name,
        )


def permits(snapshot: Snapshot, decision: Decision) -> Outcome:
    """Allow, narrow or refuse every set-point of a decision.

    Returns:
        One answer for every controllable asset of the site that has a set-point.

    """
    outcome: dict[str, Permit | Refusal] = {}
    intervals: dict[str, Interval] = {}
    for unit in snapshot.units:
        wanted = decision.setpoints.get(unit.id)
        if wanted is None or not unit.is_controllable:
            continue
        found = _interval_or_refusal(snapshot, unit, wanted)
        if isinstance(found, Refusal):
            outcome[unit.id] = found
        else:
            intervals[unit.id] = found
            outcome[unit.id] = _nearest_permit(snapshot, unit, wanted, found)
    for direction in (IMPORT, EXPORT):
        _keep_connection(snapshot, outcome, intervals, direction)
    return outcome


def _interval_or_refusal(snapshot: Snapshot, unit: Unit, wanted: Setpoint) -> Interval | Refusal:
    measured = _fresh(snapshot, unit)
    if measured is None:
        return Refusal(unit.id, "its telemetry is missing or stale")
    if not math.isfinite(wanted.export_kw):
        return Refusal(unit.id, "the set-point is not a number")
    if measured.mode in FORMING and wanted.mode not in FORMING:
        return Refusal(unit.id, "it forms the grid, and is left to its own control")
    interval = _with_device_limits(snapshot, unit, measured)
    if unit.kind is not Kind.STORAGE:
        return interval
    return _with_stored_energy(snapshot, unit, measured, interval)


def _with_device_limits(snapshot: Snapshot, unit: Unit, measured: Telemetry) -> Interval:
    """Ramp, rating, and what the device can do now; the harder limit comes later and wins."""
    permit, span_kw = snapshot.permits.get(unit.id), unit.ramp_kw_per_s * snapshot.tick_s
    follows = snapshot.readings[unit.id].follows
    base_kw = permit.export_kw if permit is not None and follows else measured.export_kw
    interval = Interval(base_kw - span_kw, base_kw + span_kw, "ramp", "ramp")
    interval = interval.inside(-unit.charge_kw, unit.discharge_kw, "charge power", "discharge power")
    if measured.limits is not None:
        charge_kw, discharge_kw = (
            _at_least_zero(measured.limits.charge_kw),
            _at_least_zero(measured.limits.discharge_kw),
        )
        interval = interval.inside(-charge_kw, discharge_kw, "charge power now", "discharge power now")
    return interval


def _with_stored_energy(snapshot: Snapshot, unit: Unit, measured: Telemetry, interval: Interval) -> Interval | Refusal:
    """Power that leaves the store inside its window even if the lease is never renewed."""
    stored_kwh, floor_kwh, ceiling_kwh = measured.stored_kwh, unit.floor_kwh, unit.ceiling_kwh
    if stored_kwh is None or floor_kwh is None or ceiling_kwh is None or not math.isfinite(stored_kwh):
        return Refusal(unit.id, "its stored energy is not known")
    hours = snapshot.lease_s / 3600
    charge_kw = _at_least_zero(ceiling_kwh - stored_kwh) / unit.charge_efficiency / hours
    discharge_kw = _at_least_zero(stored_kwh - floor_kwh) * unit.discharge_efficiency / hours
    return interval.inside(-charge_kw, discharge_kw, "highest stored energy", "lowest stored energy")


def _nearest_permit(snapshot: Snapshot, unit: Unit, wanted: Setpoint, interval: Interval) -> Permit:
    narrowed_by = None
    if wanted.export_kw > interval.high_kw:
        narrowed_by = interval.high_name
    elif wanted.export_kw < interval.low_kw:
        narrowed_by = interval.low_name
    return Permit(
        asset_id=unit.id,
        export_kw=_nearest(wanted.export_kw, interval.low_kw, interval.high_kw),
        mode=wanted.mode,
        lease_s=snapshot.lease_s,
        ramp_kw_per_s=unit.ramp_kw_per_s,
        owner=wanted.owner,
        why=wanted.why,
        narrowed_by=narrowed_by,
    )


def _keep_connection(
    snapshot: Snapshot, outcome: dict[str, Permit | Refusal], intervals: Mapping[str, Interval], direction: int
) -> None:
    """Hold the site's power in one direction below its limit, by moving permits in proportion to the room they have.

    What nobody knows is taken at its worst. Then permits move towards zero only; where everything is measured, they
    may be moved beyond it, so that a store makes up for what others do.
    """
    is_export = direction == EXPORT
    limit_kw = snapshot.connection.export_limit_kw if is_export else snapshot.connection.import_limit_kw
    name = f"{'export' if is_export else 'import'} limit of the site"
    allowed = {unit.id: unit for unit in snapshot.units if isinstance(outcome.get(unit.id), Permit)}
    others = [unit for unit in snapshot.units if unit.id not in allowed]
    is_known = all(_fresh(snapshot, unit) is not None for unit in others)
    excess_kw = sum(_worst_kw(snapshot, unit, direction) for unit in others) - limit_kw
    room_kw: dict[str, float] = {}
    for asset, unit in allowed.items():
        permit = outcome[asset]
        assert isinstance(permit, Permit), "only permits were picked"
        power_kw = direction * permit.export_kw
        excess_kw += (
            power_kw if snapshot.readings[asset].follows else max(power_kw, _worst_kw(snapshot, unit, direction))
        )
        end_kw = intervals[asset].low_kw if is_export else -intervals[asset].high_kw
        room_kw[asset] = max(0.0, power_kw - end_kw if is_known else min(power_kw - end_kw, power_kw))
    total_kw = sum(room_kw.values())
    if not excess_kw > 0 or not total_kw > 0:
        return
    part = min(1.0, excess_kw / total_kw)
    for asset, room in room_kw.items():
        permit = outcome[asset]
        if isinstance(permit, Permit) and room > 0:
            moved_kw = permit.export_kw - direction * part * room
            outcome[asset] = replace(permit, export_kw=moved_kw, narrowed_by=name)


def _worst_kw(snapshot: Snapshot, unit: Unit, direction: int) -> float:
    """Most that an asset may add in a direction: what is measured, or where nothing is, its rating."""
    measured = _fresh(snapshot, unit)
    if measured is not None:
        return direction * measured.export_kw
    return unit.discharge_kw if direction == EXPORT else unit.charge_kw


def _fresh(snapshot: Snapshot, unit: Unit) -> Telemetry | None:
    """Its telemetry, where that may be used."""
    reading = snapshot.readings.get(unit.id)
    if reading is None or reading.verdict is not Verdict.FRESH or reading.telemetry is None:
        return None
    return reading.telemetry if math.isfinite(reading.telemetry.export_kw) else None


def _nearest(value: float, low: float, high: float) -> float:
    return max(low, min(high, value))


def _at_least_zero(value: float) -> float:
    """The value, or zero for what is negative or no number."""
    return value if value > 0 else 0.0
