"""How far can an asset go in the coming tick?"""

from vpp.domain.snapshot import Snapshot
from vpp.domain.unit import Kind, Unit


def reach(snapshot: Snapshot, unit: Unit) -> tuple[float, float]:
    """Lowest and highest export that an asset can deliver in the coming tick [kW]; both are 0 for one not heard.

    A device that does not do what it was permitted is taken at its measured power: what it leaves undone is there for
    others to deliver.
    """
    reading = snapshot.readings[unit.id]
    measured = reading.fresh
    if measured is None:
        return 0.0, 0.0
    if not reading.follows:
        return measured.export_kw, measured.export_kw
    low_kw, high_kw = -unit.charge_kw, unit.discharge_kw
    if measured.limits is not None:
        low_kw, high_kw = max(low_kw, -measured.limits.charge_kw), min(high_kw, measured.limits.discharge_kw)
    if unit.kind is Kind.STORAGE:
        low_kw, high_kw = _with_energy(snapshot, unit, measured.stored_kwh, low_kw, high_kw)
    permit = snapshot.permits.get(unit.id)
    base_kw = measured.export_kw if permit is None else permit.export_kw
    span_kw = unit.ramp_kw_per_s * snapshot.tick_s
    ramped_low_kw, ramped_high_kw = max(low_kw, base_kw - span_kw), min(high_kw, base_kw + span_kw)
    return (ramped_low_kw, ramped_high_kw) if ramped_low_kw <= ramped_high_kw else (low_kw, high_kw)


def _with_energy(
    snapshot: Snapshot, unit: Unit, stored_kwh: float | None, low_kw: float, high_kw: float
) -> tuple[float, float]:
    """No more than the store can keep up for the length of a lease."""
    if stored_kwh is None or unit.floor_kwh is None or unit.ceiling_kwh is None:
        return 0.0, 0.0
    hours = snapshot.lease_s / 3600
    above_kwh, below_kwh = max(0.0, stored_kwh - unit.floor_kwh), max(0.0, unit.ceiling_kwh - stored_kwh)
    return (
        max(low_kw, -below_kwh / unit.charge_efficiency / hours),
        min(high_kw, above_kwh * unit.discharge_efficiency / hours),
    )
