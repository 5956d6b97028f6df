"""What now? A total function of a snapshot and the course that is followed.

The ladder says what every asset would do: the plan, the previous plan, a rule, or a safe stop. A target for the whole
site is shared over the assets from there. Operators narrow or replace what is wanted of an asset; safety has the last
word.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import inf, isfinite

from vpp.control.reach import able, heard, is_held_back, reach
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
TURNED_DOWN = "left where a limit turned it down, so that it starts seldom"
MODES: dict[float | str | None, Mode] = {mode.value: mode for mode in Mode}

Wanted = dict[str, Setpoint]


def decide(snapshot: Snapshot, course: Course | None) -> Decision:
    """Say what every controllable asset should do now."""
    at_site = {override.action: override for override in _orders(snapshot, SITE)}
    if Action.STOP in at_site:
        return Decision(InControl.OVERRIDE, SAFE_STOP, _stopped(snapshot, _told(at_site[Action.STOP])))
    is_paused = Action.PAUSE_MARKET in at_site
    rung, wanted = _ladder(snapshot, None if is_paused else course)
    wanted = {name: _left_where_turned_down(snapshot, setpoint) for name, setpoint in wanted.items()}
    wanted |= {name: Setpoint(name, 0.0, Owner.STOP, UNOWNED) for name in snapshot.reclaimed if name in wanted}
    wanted = {name: _overridden(snapshot, setpoint) for name, setpoint in wanted.items()}
    decision = Decision(_in_control(snapshot, rung), rung, wanted)
    if Action.SET_EXPORT_KW in at_site:
        override = at_site[Action.SET_EXPORT_KW]
        return _shared(snapshot, decision, _number(override), Owner.OVERRIDE, _told(override))
    signal = snapshot.signal
    if signal is not None and isfinite(signal.export_kw) and not is_paused and rung < RULE:
        target_kw = _uncontrolled_kw(snapshot) + _undisturbed_kw(snapshot, wanted) + signal.export_kw
        return _shared(snapshot, decision, target_kw, Owner.SIGNAL, f"signal of {signal.product}")
    return decision


def _in_control(snapshot: Snapshot, rung: int) -> InControl:
    if any(override.action is not Action.LIMIT_KW for override in snapshot.overrides):
        return InControl.OVERRIDE
    if not any(heard(snapshot, unit) for unit in snapshot.units):
        return InControl.IDLE
    return InControl.PLAN if rung == PLAN else InControl.FALLBACK


def _ladder(snapshot: Snapshot, course: Course | None) -> tuple[int, Wanted]:
    step = None if course is None else course.step_at(snapshot.now)
    if course is not None and step is not None:
        planned = {unit.id: _planned(unit, course, step) for unit in _controllable(snapshot)}
        return (PLAN if snapshot.is_planner_well else PREVIOUS_PLAN), planned
    known = (unit for unit in snapshot.units if not unit.is_controllable)
    if all(heard(snapshot, unit) for unit in known):
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
    moved_kw = power_kw + unit.rest_load_kw
    if abs(moved_kw) <= MOVES_KW:
        return Setpoint(unit.id, 0.0 - unit.rest_load_kw, Owner.PLAN, "plan: waits")
    prices = course.export_price_per_mwh if moved_kw > 0 else course.import_price_per_mwh
    verb = "discharges" if moved_kw > 0 else "charges"
    return Setpoint(unit.id, power_kw, Owner.PLAN, f"plan: {verb} at {prices[step]:,.0f} {course.currency}/MWh")


def _by_rule(snapshot: Snapshot) -> Wanted:
    """Stores cover the net load of the site, and take up its surplus; nothing is traded."""
    why = "rule: covers the net load"
    wanted = {unit.id: Setpoint(unit.id, 0.0, Owner.RULE, why) for unit in _controllable(snapshot)}
    for unit in _controllable(snapshot):
        if unit.kind is Kind.GENERATION:
            wanted[unit.id] = Setpoint(unit.id, unit.discharge_kw, Owner.RULE, "rule: all there is")
    stores = [u for u in _controllable(snapshot) if u.kind is Kind.STORAGE and not _is_ordered(snapshot, u)]
    silent = [u for u in snapshot.units if u.kind is Kind.STORAGE and heard(snapshot, u) is None]
    target_kw = _covering_kw(snapshot, [u for u in snapshot.units if u not in stores and u not in silent])
    shared = share(target_kw, {unit.id: _range(snapshot, unit, 0.0) for unit in stores})
    return wanted | {name: replace(wanted[name], export_kw=kw) for name, kw in shared.items()}


def _covering_kw(snapshot: Snapshot, others: Sequence[Unit]) -> float:
    """What stores must export to cover what others surely draw; negative to take up what they surely export."""
    low_kw = high_kw = 0.0
    for unit in others:
        measured = heard(snapshot, unit)
        low_kw += -unit.charge_kw if measured is None else measured.export_kw
        high_kw += unit.discharge_kw if measured is None else measured.export_kw
    return -max(low_kw, min(high_kw, 0.0))


def _stopped(snapshot: Snapshot, why: str) -> Wanted:
    return {unit.id: Setpoint(unit.id, 0.0, Owner.STOP, why) for unit in _controllable(snapshot)}


def _left_where_turned_down(snapshot: Snapshot, setpoint: Setpoint) -> Setpoint:
    """A machine that a limit turned down is not started again at once; what wants it to turn round is heard."""
    low_kw, high_kw = snapshot.turned_down.get(setpoint.asset_id, (-inf, inf))
    if low_kw <= setpoint.export_kw <= high_kw:
        return setpoint
    return replace(setpoint, export_kw=max(low_kw, min(high_kw, setpoint.export_kw)), why=TURNED_DOWN)


def _overridden(snapshot: Snapshot, setpoint: Setpoint) -> Setpoint:
    """What operators make of a set-point: the latest order replaces it, every limit narrows it."""
    for override in _orders(snapshot, setpoint.asset_id):
        if override.action is Action.SET_EXPORT_KW:
            setpoint = replace(setpoint, export_kw=_number(override), owner=Owner.OVERRIDE, why=_told(override))
        elif override.action is Action.STOP:
            setpoint = replace(setpoint, export_kw=0.0, owner=Owner.OVERRIDE, why=_told(override))
        elif override.action is Action.SET_MODE and override.value in MODES:
            setpoint = replace(setpoint, mode=MODES[override.value], owner=Owner.OVERRIDE, why=_told(override))
    if setpoint.mode is Mode.STANDBY:
        setpoint = replace(setpoint, export_kw=0.0)
    return _limited(snapshot, setpoint)


def _limited(snapshot: Snapshot, setpoint: Setpoint) -> Setpoint:
    for override in _orders(snapshot, setpoint.asset_id):
        limit_kw = _limit_kw(override)
        if abs(setpoint.export_kw) > limit_kw:
            narrowed_kw = max(-limit_kw, min(limit_kw, setpoint.export_kw))
            setpoint = replace(setpoint, export_kw=narrowed_kw, owner=Owner.OVERRIDE, why=_told(override))
    return setpoint


def _shared(snapshot: Snapshot, decision: Decision, target_kw: float, owner: Owner, why: str) -> Decision:
    """Move the assets that nobody ordered about until the site exports its target."""
    setpoints = dict(decision.setpoints)
    ranges = {u.id: _range(snapshot, u, setpoints[u.id].export_kw) for u in _controllable(snapshot)}
    free = [u for u in _controllable(snapshot) if heard(snapshot, u) is not None and not _is_ordered(snapshot, u)]
    moved = {unit.id: ranges[unit.id] for unit in free}
    held_kw = sum(reach.start_kw for name, reach in ranges.items() if name not in moved)
    wanted_kw = target_kw - _uncontrolled_kw(snapshot) - held_kw
    shared = share(wanted_kw, moved)
    for unit in free:
        least_kw = ranges[unit.id].high_kw - MOVES_KW
        gives_all = unit.kind is Kind.GENERATION and not is_held_back(snapshot, unit) and shared[unit.id] >= least_kw
        if not gives_all or setpoints[unit.id].export_kw < least_kw:
            setpoint = replace(setpoints[unit.id], export_kw=shared[unit.id], owner=owner, why=why)
            setpoints[unit.id] = _limited(snapshot, setpoint)
    residual_kw = wanted_kw - sum(shared.values())
    return replace(decision, setpoints=setpoints, target_kw=target_kw, residual_kw=residual_kw)


def _is_ordered(snapshot: Snapshot, unit: Unit) -> bool:
    """Whether somebody has said what this asset is to do, so that no target moves it."""
    orders = _orders(snapshot, unit.id)
    is_told = any(o.action in (Action.SET_EXPORT_KW, Action.STOP) or o.value == Mode.STANDBY for o in orders)
    return is_told or unit.id in snapshot.reclaimed


def _range(snapshot: Snapshot, unit: Unit, start_kw: float) -> Range:
    low_kw, high_kw = reach(snapshot, unit)
    if low_kw < high_kw:
        limit_kw = min((_limit_kw(override) for override in _orders(snapshot, unit.id)), default=inf)
        low_kw, high_kw = max(-limit_kw, min(limit_kw, low_kw)), max(-limit_kw, min(limit_kw, high_kw))
    return Range(low_kw, max(low_kw, min(high_kw, start_kw)), high_kw, unit.cost_per_mwh)


def _controllable(snapshot: Snapshot) -> list[Unit]:
    return [unit for unit in snapshot.units if unit.is_controllable]


def _measured_kw(snapshot: Snapshot, unit: Unit) -> float:
    """What an asset exports now; nothing is counted of one that is not heard."""
    telemetry = heard(snapshot, unit)
    return 0.0 if telemetry is None else telemetry.export_kw


def _uncontrolled_kw(snapshot: Snapshot) -> float:
    return sum(_measured_kw(snapshot, unit) for unit in snapshot.units if not unit.is_controllable)


def _undisturbed_kw(snapshot: Snapshot, wanted: Wanted) -> float:
    """What the controllable assets would export by now, had nothing but this been wanted of them."""
    spans = {unit.id: able(snapshot, unit) for unit in _controllable(snapshot)}
    return sum(max(low_kw, min(high_kw, wanted[name].export_kw)) for name, (low_kw, high_kw) in spans.items())


def _orders(snapshot: Snapshot, asset: str) -> list[Override]:
    """Overrides of an asset, the latest last."""
    own = [override for override in snapshot.overrides if override.asset == asset]
    return sorted(own, key=lambda override: override.since)


def _number(override: Override) -> float:
    """Power that an order names; 0 where it names none."""
    is_number = isinstance(override.value, int | float) and isfinite(override.value)
    return float(override.value) if is_number and override.value is not None else 0.0


def _limit_kw(override: Override) -> float:
    """Highest power that a limit leaves; infinity for any other order."""
    return max(0.0, _number(override)) if override.action is Action.LIMIT_KW else inf


def _told(override: Override) -> str:
    return f"operator {override.operator}: {override.reason}"
