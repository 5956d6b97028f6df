"""May this go out? The gate before every device: a total function that narrows, and in doubt refuses.

1. An operator or the device itself can always take control back.
2. No permit exceeds the device's limits, would leave the store's window within its lease, takes the site over its
   connection limit, or moves faster than the ramp unless a limit of the device demands it; none outlives its lease.
3. A unit that forms the grid is never told to follow it, and never narrowed to zero.

Nothing here is shared with the code that makes set-points.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto

from vpp.domain.setpoint import Permit, Refusal, Setpoint
from vpp.domain.snapshot import Decision, Outcome, Snapshot
from vpp.domain.telemetry import LiveLimits, Telemetry
from vpp.domain.unit import Kind, Mode, Unit

FORMING = (Mode.GFM_DROOP, Mode.GFM_VSM, Mode.GFM_ISOCHRONOUS, Mode.BLACK_START)
FORMS = "it forms the grid, and is left to its own control"
EXPORT, IMPORT = 1, -1
"""Directions at the connection: the sign that makes its power positive."""
RAMP = "ramp"
RISE_SHARE = 0.05
"""Sun and wind may bring so much of the rating more than is measured, before the next tick takes it into account."""
NEGLIGIBLE_KW = 1e-6

Answers = dict[str, Permit | Refusal]


class Stage(Enum):
    """How the site's power is brought inside its limit, the mildest first."""

    UNUSED = auto()
    """Ceilings of generation come down to what it delivers."""
    TOWARDS_ZERO = auto()
    BEYOND_ZERO = auto()
    """Stores make up for what others do; only where everything is measured."""
    WAITING = auto()
    """The quick wait for what comes down at its own pace."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a permit may lie, and which limits make its ends."""

    low_kw: float
    high_kw: float
    low_name: str = RAMP
    high_name: str = RAMP

    def inside(self, charge_kw: float, discharge_kw: float, low_name: str, high_name: str) -> "Interval":
        """What of it lies inside a harder limit; where nothing does, the nearest of that."""
        low_kw = -charge_kw
        return Interval(
            _nearest(self.low_kw, low_kw, discharge_kw),
            _nearest(self.high_kw, low_kw, discharge_kw),
            low_name if self.low_kw < low_kw else self.low_name,
            high_name if self.high_kw > discharge_kw else self.high_name,
        )


def permits(snapshot: Snapshot, decision: Decision) -> Outcome:
    """Allow, narrow or refuse every set-point of a decision.

    Returns:
        One answer for every controllable asset of the site that has a set-point.

    """
    outcome: Answers = {}
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
    is_known = all(_fresh(snapshot, unit) is not None for unit in snapshot.units)
    for direction in (IMPORT, EXPORT):
        for stage in Stage:
            if is_known or stage is not Stage.BEYOND_ZERO:
                _keep_connection(snapshot, outcome, intervals, direction, stage)
    return outcome


def _interval_or_refusal(snapshot: Snapshot, unit: Unit, wanted: Setpoint) -> Interval | Refusal:
    measured = _fresh(snapshot, unit)
    if measured is None:
        return Refusal(unit.id, "its telemetry is missing, stale or suspect")
    if not math.isfinite(wanted.export_kw):
        return Refusal(unit.id, "the set-point is not a number")
    if measured.mode in FORMING and wanted.mode not in FORMING:
        return Refusal(unit.id, FORMS)
    interval = _with_device_limits(snapshot, unit, measured)
    if interval is not None and unit.kind is Kind.STORAGE:
        interval = _with_stored_energy(snapshot, unit, measured, interval)
    return Refusal(unit.id, "its limits or its stored energy are not known") if interval is None else interval


def _with_device_limits(snapshot: Snapshot, unit: Unit, measured: Telemetry) -> Interval | None:
    """Ramp, rating, and what a store can do now (sun limits itself); the harder limit comes later and wins."""
    permit, starts_kw, is_ceiling = snapshot.permits.get(unit.id), [measured.export_kw], unit.kind is Kind.GENERATION
    if permit is not None and snapshot.readings[unit.id].follows:
        starts_kw = [permit.export_kw, measured.export_kw] if is_ceiling else [permit.export_kw]
    span_kw = unit.ramp_kw_per_s * snapshot.tick_s
    now = LiveLimits(unit.charge_kw, unit.discharge_kw) if is_ceiling or not measured.limits else measured.limits
    amounts = (unit.charge_kw, unit.discharge_kw, now.charge_kw, now.discharge_kw)
    if not (all(0 <= amount < math.inf for amount in amounts) and all(map(math.isfinite, starts_kw)) and span_kw >= 0):
        return None
    interval = Interval(min(starts_kw) - span_kw, max(starts_kw) + span_kw)
    interval = interval.inside(unit.charge_kw, unit.discharge_kw, "charge power", "discharge power")
    return interval.inside(now.charge_kw, now.discharge_kw, "charge power now", "discharge power now")


def _with_stored_energy(snapshot: Snapshot, unit: Unit, measured: Telemetry, interval: Interval) -> Interval | None:
    """Power that leaves the store inside its window even if the lease is never renewed; `None` in doubt."""
    stored_kwh, floor_kwh, ceiling_kwh = measured.stored_kwh, unit.floor_kwh, unit.ceiling_kwh
    if stored_kwh is None or floor_kwh is None or ceiling_kwh is None:
        return None
    above_kwh, below_kwh, hours = stored_kwh - floor_kwh, ceiling_kwh - stored_kwh, snapshot.lease_s / 3600
    positive = (hours, unit.charge_efficiency, unit.discharge_efficiency)
    if not (all(map(math.isfinite, (stored_kwh, floor_kwh, ceiling_kwh))) and all(value > 0 for value in positive)):
        return None
    charge_kw = max(0.0, below_kwh) / unit.charge_efficiency / hours
    discharge_kw = max(0.0, above_kwh) * unit.discharge_efficiency / hours
    return interval.inside(charge_kw, discharge_kw, "highest stored energy", "lowest stored energy")


def _nearest_permit(snapshot: Snapshot, unit: Unit, wanted: Setpoint, interval: Interval) -> Permit | Refusal:
    export_kw, narrowed_by = 0.0 + _nearest(wanted.export_kw, interval.low_kw, interval.high_kw), None
    if wanted.export_kw > interval.high_kw:
        narrowed_by = interval.high_name
    elif wanted.export_kw < interval.low_kw:
        narrowed_by = interval.low_name
    if wanted.mode in FORMING and export_kw == 0 and narrowed_by not in (None, RAMP):
        return Refusal(unit.id, FORMS)
    lease_s, ramp_kw_per_s = snapshot.lease_s, unit.ramp_kw_per_s
    return Permit(unit.id, export_kw, wanted.mode, lease_s, ramp_kw_per_s, wanted.owner, wanted.why, narrowed_by)


def _keep_connection(
    snapshot: Snapshot, outcome: Answers, intervals: Mapping[str, Interval], direction: int, stage: Stage
) -> None:
    """Hold the site's power in one direction below its limit, by moving permits in proportion to the room they have."""
    is_export = direction == EXPORT
    limits, name = snapshot.connection, f"{'export' if is_export else 'import'} limit of the site"
    excess_kw = -max(0.0, limits.export_limit_kw if is_export else limits.import_limit_kw)
    moves: list[tuple[Permit, float, float]] = []
    for unit in snapshot.units:
        permit, measured = outcome.get(unit.id), _fresh(snapshot, unit)
        if measured is None or not isinstance(permit, Permit):
            excess_kw += _worst_kw(snapshot, unit, measured, direction)
            continue
        power_kw, measured_kw = direction * permit.export_kw, direction * measured.export_kw
        if stage is Stage.WAITING and unit.ramp_s > snapshot.tick_s:
            excess_kw += max(power_kw, measured_kw)
            continue
        is_sure = snapshot.readings[unit.id].follows and (is_export or unit.kind is not Kind.GENERATION)
        least_kw = -math.inf if is_sure else measured_kw
        excess_kw += max(power_kw, least_kw)
        end_kw = max(least_kw, intervals[unit.id].low_kw if is_export else -intervals[unit.id].high_kw)
        if stage is Stage.UNUSED:
            is_ceiling = is_export and unit.kind is Kind.GENERATION
            end_kw = max(end_kw, measured_kw + RISE_SHARE * unit.discharge_kw if is_ceiling else power_kw)
        elif stage is not Stage.BEYOND_ZERO:
            end_kw = max(end_kw, 0.0)
        if end_kw < power_kw:
            moves.append((permit, power_kw, end_kw))
    if excess_kw > NEGLIGIBLE_KW and moves:
        part = excess_kw / sum(power_kw - end_kw for _, power_kw, end_kw in moves)
        for permit, power_kw, end_kw in moves:
            moved_kw = 0.0 + direction * max(end_kw, power_kw - part * (power_kw - end_kw))
            outcome[permit.asset_id] = _moved(permit, moved_kw, name)


def _moved(permit: Permit, export_kw: float, narrowed_by: str) -> Permit | Refusal:
    if permit.mode in FORMING and export_kw == 0:
        return Refusal(permit.asset_id, FORMS)
    return replace(permit, export_kw=export_kw, narrowed_by=narrowed_by)


def _worst_kw(snapshot: Snapshot, unit: Unit, measured: Telemetry | None, direction: int) -> float:
    """Most that an asset without a permit may add in a direction; its rating where it is not heard."""
    if measured is None:
        rating_kw = unit.discharge_kw if direction == EXPORT else unit.charge_kw
        return rating_kw if rating_kw >= 0 else math.inf
    last = snapshot.permits.get(unit.id)
    return max(direction * measured.export_kw, -math.inf if last is None else direction * last.export_kw)


def _fresh(snapshot: Snapshot, unit: Unit) -> Telemetry | None:
    """Its telemetry, where that may be used."""
    reading = snapshot.readings.get(unit.id)
    told = None if reading is None else reading.fresh
    return told if told is not None and math.isfinite(told.export_kw) else None


def _nearest(value: float, low: float, high: float) -> float:
    return max(low, min(high, value))
