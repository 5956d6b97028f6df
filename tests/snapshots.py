"""Small snapshots for tests of control and safety, with as little written as possible."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any

from vpp.domain.course import Course
from vpp.domain.override import SITE, Action, Override
from vpp.domain.setpoint import Owner, Permit, Setpoint
from vpp.domain.snapshot import Decision, InControl, Signal, Snapshot
from vpp.domain.telemetry import LiveLimits, Reading, Telemetry, Verdict
from vpp.domain.unit import Connection, Fallback, Kind, Mode, Unit

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LEASE_S = 60.0


def battery(name: str = "bess1", power_kw: float = 100.0, energy_kwh: float = 200.0, **fields: Any) -> Unit:
    """A store of 100 kW and 200 kWh with a window of 20 to 180 kWh and no losses, unless told otherwise."""
    given: dict[str, Any] = {
        "charge_kw": power_kw,
        "discharge_kw": power_kw,
        "is_controllable": True,
        "ramp_kw_per_s": inf,
        "fallback": Fallback.RAMP_TO_ZERO,
        "energy_capacity_kwh": energy_kwh,
        "floor_kwh": 0.1 * energy_kwh,
        "ceiling_kwh": 0.9 * energy_kwh,
    }
    return Unit(id=name, kind=Kind.STORAGE, **given | fields)


def solar(name: str = "pv1", power_kw: float = 100.0, **fields: Any) -> Unit:
    """A photovoltaic plant of 100 kW that takes a ceiling."""
    given: dict[str, Any] = {
        "charge_kw": 0.0,
        "discharge_kw": power_kw,
        "is_controllable": True,
        "ramp_kw_per_s": inf,
        "fallback": Fallback.HOLD,
    }
    return Unit(id=name, kind=Kind.GENERATION, **given | fields)


def load(name: str = "load1", power_kw: float = 1000.0) -> Unit:
    """A load of at most 1,000 kW that nobody controls."""
    return Unit(name, Kind.CONSUMPTION, power_kw, 0.0, is_controllable=False, ramp_kw_per_s=inf, fallback=Fallback.HOLD)


def telemetry(name: str, export_kw: float = 0.0, stored_kwh: float | None = 100.0, **fields: Any) -> Telemetry:
    """Measured values: at rest, a store half full."""
    given: dict[str, Any] = {"at": NOW, "boot_id": "b1", "seq": 1, "mode": Mode.GFL}
    return Telemetry(asset_id=name, export_kw=export_kw, stored_kwh=stored_kwh, **given | fields)


def reading(name: str, export_kw: float = 0.0, stored_kwh: float | None = 100.0, **fields: Any) -> Reading:
    """A fresh reading; `verdict`, `follows` and fields of the telemetry may be given."""
    own = {key: fields.pop(key) for key in ("verdict", "follows") if key in fields}
    told = telemetry(name, export_kw, stored_kwh, **fields)
    return Reading(own.get("verdict", Verdict.FRESH), told, 0.5, own.get("follows", True))


def limits(charge_kw: float, discharge_kw: float) -> LiveLimits:
    """What a device can do now."""
    return LiveLimits(charge_kw, discharge_kw)


def in_force(name: str, export_kw: float, mode: Mode = Mode.GFL) -> Permit:
    """A permit that was sent and has not run out."""
    return Permit(name, export_kw, mode, LEASE_S, inf, Owner.PLAN, "plan")


def snapshot(
    units: Sequence[Unit],
    readings: Iterable[Reading] | None = None,
    *,
    permits: Iterable[Permit] = (),
    import_limit_kw: float = 1e6,
    export_limit_kw: float = 1e6,
    **fields: Any,
) -> Snapshot:
    """A site at noon; every asset is heard and at rest unless readings are given."""
    heard = [reading(unit.id) for unit in units] if readings is None else readings
    given: dict[str, Any] = {
        "now": NOW,
        "tick_s": 1.0,
        "lease_s": LEASE_S,
        "connection": Connection(import_limit_kw, export_limit_kw),
        "course_id": None,
        "is_planner_well": True,
        "overrides": (),
        "signal": None,
    }
    by_asset = {told.telemetry.asset_id: told for told in heard if told.telemetry is not None}
    in_force_by_asset = {permit.asset_id: permit for permit in permits}
    return Snapshot(units=tuple(units), readings=by_asset, permits=in_force_by_asset, **given | fields)


def wants(mode: Mode = Mode.GFL, **export_kw: float) -> Decision:
    """A decision that wants these exports of these assets."""
    setpoints = {name: Setpoint(name, kw, Owner.PLAN, "plan: test", mode) for name, kw in export_kw.items()}
    return Decision(InControl.PLAN, 1, setpoints)


def course(
    export_kw: Mapping[str, Sequence[float]],
    *,
    curtailed: Mapping[str, Sequence[bool]] | None = None,
    start: datetime = NOW,
    first_step_s: int = 900,
    step_s: int = 900,
) -> Course:
    """A plan from noon on, in quarter-hours, at prices 10, 20, 30 … for import and 1 less for export."""
    count = max(map(len, export_kw.values()), default=1)
    prices = tuple(10.0 * (step + 1) for step in range(count))
    return Course(
        id="plan1",
        created=start,
        start=start,
        first_step_s=first_step_s,
        step_s=step_s,
        count=count,
        export_kw={name: tuple(values) for name, values in export_kw.items()},
        stored_kwh={},
        is_curtailed={name: tuple(values) for name, values in (curtailed or {}).items()},
        import_price_per_mwh=prices,
        export_price_per_mwh=tuple(price - 1 for price in prices),
        currency="EUR",
        status="optimal",
        net=0.0,
        idle_net=None,
        gap_fraction=0.0,
    )


def override(
    action: Action, value: float | str | None = None, asset: str = SITE, *, since_s: float = 0.0, name: str = "ada"
) -> Override:
    """An operator's order in force, given so many seconds after noon."""
    since = NOW + timedelta(seconds=since_s)
    return Override(f"r{since_s:g}", name, asset, action, value, "a test", since, since + timedelta(hours=1))


def signal(export_kw: float) -> Signal:
    """A regulation signal."""
    return Signal("regulation", export_kw)
