"""What now? A total function of a snapshot and the course that is followed.

The ladder says what every asset would do: the plan, the previous plan, a rule, or a safe stop. A target for the whole
site is shared over the assets from there. Operators narrow or replace what is wanted of an asset; safety has the last
word.
"""

from dataclasses import replace

from vpp.control.reach import reach
from vpp.control.share import Range, share
from vpp.domain.course import Course
from vpp.domain.override import SITE, Action, Override
from vpp.domain.setpoint import Owner, Setpoint
from vpp.domain.snapshot import Decision, InControl, Snapshot
from vpp.domain.unit import Kind, Mode, Unit

PLAN, PREVIOUS_PLAN, RULE, SAFE_STOP = 1, 2, 3, 4
"""Rungs of the ladder."""
MOVES_KW = 1e-6
UNOWNED = "found running without an owner: brought to rest first"
MODES: dict[float | str | None, Mode] = {mode.value: mode for mode in Mode}

Wanted = dict[str, Setpoint]


def decide(snapshot: Snapshot, course: Course | None) -> Decision:
    """Say what every controllable asset should do now."""
    at_site = {override.action: override for override in snapshot.overrides if override.asset == SITE}
    if Action.STOP in at_site:
        return Decision(InControl.OVERRIDE, SAFE_STOP, _stopped(snapshot, _told(at_site[Action.STOP])))
    is_paused = Action.PAUSE_MARKET in at_site
    rung, wanted = _ladder(snapshot, None if is_paused else course)
    wanted |= {name: Setpoint(name, 0.0, Owner.STOP, UNOWNED) for name in snapshot.reclaimed if name in wanted}
    wanted = {name: _overridden(snapshot, setpoint) for name, setpoint in wanted.items()}
    decision = Decision(_in_control(snapshot, rung), rung, wanted)
    if Action.SET_EXPORT_KW in at_site:
        override = at_site[Action.SET_EXPORT_KW]
        return _shared(snapshot, decision, _number(override), Owner.OVERRIDE, _told(override))
    if snapshot.signal is not None and not is_paused and rung < RULE:
        target_kw = _uncontrolled_kw(snapshot) + _expected_kw(snapshot, wanted) + snapshot.signal.export_kw
        return _shared(snapshot, decision, target_kw, Owner.SIGNAL, f"signal of {snapshot.signal.product}")
    return decision


def _in_control(snapshot: Snapshot, rung: int) -> InControl:
    if any(override.action is not Action.LIMIT_KW for override in snapshot.overrides):
        return InControl.OVERRIDE
    if not any(reading.fresh for reading in snapshot.readings.values()):
        return InControl.IDLE
    return InControl.PLAN if rung == PLAN else InControl.FALLBACK


def _ladder(snapshot: Snapshot, course: Course | None) -> tuple[int, Wanted]:
    step = None if course is None else course.step_at(snapshot.now)
    if course is not None and step is not None:
        planned = {unit.id: _planned(unit, course, step) for unit in _controllable(snapshot)}
        return (PLAN if snapshot.is_planner_well else PREVIOUS_PLAN), planned
    known = (unit for unit in snapshot.units if not unit.is_controllable)
    if all(snapshot.readings[unit.id].fresh for unit in known):
        return RULE, _by_rule(snapshot)
    return SAFE_STOP, _stopped(snapshot, "safe stop: no plan, and the load is not known")


def _planned(unit: Unit, course: Course, step: int) -> Setpoint:
    export_kw = course.export_kw.get(unit.id)
    if export_kw is None:
        return Setpoint(unit.id, 0.0, Owner.PLAN, "the plan does not know it")
    if unit.kind is Kind.GENERATION:
        if not course.is_curtailed[unit.id][step]:
            return Setpoint(unit.id, unit.discharge_kw, Owner.PLAN, "plan: all there is")
        return Setpoint(unit.id, export_kw[step], Owner.PLAN, "plan: curtailed")
    power_kw = export_kw[step]
    if abs(power_kw) <= MOVES_KW:
        return Setpoint(unit.id, 0.0, Owner.PLAN, "plan: waits")
    prices = course.export_price_per_mwh if power_kw > 0 else course.import_price_per_mwh
    verb = "discharges" if power_kw > 0 else "charges"
    return Setpoint(unit.id, power_kw, Owner.PLAN, f"plan: {verb} at {prices[step]:,.0f} {course.currency}/MWh")


def _by_rule(snapshot: Snapshot) -> Wanted:
    """Stores cover the net load of the site, and take up its surplus; nothing is traded."""
    why = "rule: covers the net load"
    wanted = {unit.id: Setpoint(unit.id, 0.0, Owner.RULE, why) for unit in _controllable(snapshot)}
    for unit in _controllable(snapshot):
        if unit.kind is Kind.GENERATION:
            wanted[unit.id] = Setpoint(unit.id, unit.discharge_kw, Owner.RULE, "rule: all there is")
    stores = [unit for unit in _controllable(snapshot) if unit.kind is Kind.STORAGE]
    others_kw = sum(_measured_kw(snapshot, unit) for unit in snapshot.units if unit not in stores)
    shared = share(-others_kw, {unit.id: _range(snapshot, unit, 0.0) for unit in stores})
    return wanted | {name: replace(wanted[name], export_kw=kw) for name, kw in shared.items()}


def _stopped(snapshot: Snapshot, why: str) -> Wanted:
    return {unit.id: Setpoint(unit.id, 0.0, Owner.STOP, why) for unit in _controllable(snapshot)}


def _overridden(snapshot: Snapshot, setpoint: Setpoint) -> Setpoint:
    """What operators make of a set-point: the latest order replaces it, every limit narrows it."""
    own = [override for override in snapshot.overrides if override.asset == setpoint.asset_id]
    for override in sorted(own, key=lambda override: override.since):
        if override.action is Action.SET_EXPORT_KW:
            setpoint = replace(setpoint, export_kw=_number(override), owner=Owner.OVERRIDE, why=_told(override))
        elif override.action is Action.STOP:
            setpoint = replace(setpoint, export_kw=0.0, owner=Owner.OVERRIDE, why=_told(override))
        elif override.action is Action.SET_MODE and override.value in MODES:
            setpoint = replace(setpoint, mode=MODES[override.value], owner=Owner.OVERRIDE, why=_told(override))
    for override in own:
        limit_kw = _number(override)
        if override.action is Action.LIMIT_KW and abs(setpoint.export_kw) > limit_kw:
            narrowed_kw = max(-limit_kw, min(limit_kw, setpoint.export_kw))
            setpoint = replace(setpoint, export_kw=narrowed_kw, owner=Owner.OVERRIDE, why=_told(override))
    return setpoint


def _shared(snapshot: Snapshot, decision: Decision, target_kw: float, owner: Owner, why: str) -> Decision:
    """Move the assets that nobody ordered about until the site exports its target."""
    ordered = {o.asset for o in snapshot.overrides if o.action in (Action.SET_EXPORT_KW, Action.STOP)}
    free = [unit for unit in _controllable(snapshot) if unit.id not in ordered and snapshot.readings[unit.id].fresh]
    rest_kw = _uncontrolled_kw(snapshot) + sum(
        _measured_kw(snapshot, unit) for unit in _controllable(snapshot) if unit not in free
    )
    ranges = {unit.id: _range(snapshot, unit, decision.setpoints[unit.id].export_kw) for unit in free}
    shared = share(target_kw - rest_kw, ranges)
    setpoints = dict(decision.setpoints)
    for unit in free:
        held = setpoints[unit.id]
        if unit.kind is not Kind.GENERATION or shared[unit.id] < ranges[unit.id].high_kw - MOVES_KW:
            setpoints[unit.id] = replace(held, export_kw=shared[unit.id], owner=owner, why=why)
    residual_kw = target_kw - rest_kw - sum(shared.values())
    return replace(decision, setpoints=setpoints, target_kw=target_kw, residual_kw=residual_kw)


def _range(snapshot: Snapshot, unit: Unit, start_kw: float) -> Range:
    low_kw, high_kw = reach(snapshot, unit)
    return Range(low_kw, max(low_kw, min(high_kw, start_kw)), high_kw, unit.cost_per_mwh)


def _controllable(snapshot: Snapshot) -> list[Unit]:
    return [unit for unit in snapshot.units if unit.is_controllable]


def _measured_kw(snapshot: Snapshot, unit: Unit) -> float:
    """What an asset exports now; nothing is counted of one that is not heard."""
    telemetry = snapshot.readings[unit.id].fresh
    return 0.0 if telemetry is None else telemetry.export_kw


def _uncontrolled_kw(snapshot: Snapshot) -> float:
    return sum(_measured_kw(snapshot, unit) for unit in snapshot.units if not unit.is_controllable)


def _expected_kw(snapshot: Snapshot, wanted: Wanted) -> float:
    """What the controllable assets would export: stores what is wanted, generation no more than there is."""
    return sum(_range(snapshot, unit, wanted[unit.id].export_kw).start_kw for unit in _controllable(snapshot))


def _number(override: Override) -> float:
    return float(override.value) if isinstance(override.value, int | float) else 0.0


def _told(override: Override) -> str:
    return f"operator {override.operator}: {override.reason}"
