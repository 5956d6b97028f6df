"""What is the site doing, as anybody may read it?"""

from datetime import datetime
from typing import Any

from vpp.dispatch.dispatcher import Dispatcher
from vpp.dispatch.tick import Tick
from vpp.domain.alarm import Alarm
from vpp.domain.course import Course
from vpp.domain.setpoint import Permit
from vpp.domain.unit import Unit


def status_document(dispatcher: Dispatcher, now: datetime, mono_s: float) -> dict[str, Any]:
    """The content of `dispatcher/status`."""
    tick = dispatcher.latest
    if tick is None:
        return {"at": _utc(now), "in_control": "idle", "rung": 4, "plan": None, "alarms": [], "assets": {}}
    course, decision = dispatcher.course, tick.decision
    exported = [reading.fresh for reading in tick.snapshot.readings.values()]
    return {
        "at": _utc(now),
        "in_control": decision.in_control,
        "rung": decision.rung,
        "plan": None if course is None else _plan(course, now),
        "planner": dispatcher.planner_failure or "ok",
        "site": {
            "export_kw": None if any(told is None for told in exported) else sum(t.export_kw for t in exported if t),
            "target_kw": decision.target_kw,
            "residual_kw": decision.residual_kw,
            "import_limit_kw": tick.snapshot.connection.import_limit_kw,
            "export_limit_kw": tick.snapshot.connection.export_limit_kw,
        },
        "alarms": [_alarm(alarm) for alarm in dispatcher.alarms.standing()],
        "overrides": [
            {
                "id": o.request_id,
                "operator": o.operator,
                "asset": o.asset,
                "action": o.action,
                "value": o.value,
                "reason": o.reason,
                "until": _utc(o.until),
            }
            for o in dispatcher.desk.overrides
        ],
        "assets": {unit.id: _asset(dispatcher, tick, unit, now, mono_s) for unit in dispatcher.settings.units},
        "refused_messages": dispatcher.mailbox.refusals(),
    }


def plan_document(course: Course) -> dict[str, Any]:
    """The content of `plan`: what the plan in force will do."""
    return {
        "id": course.id,
        "created_utc": _utc(course.created),
        "start_utc": _utc(course.start),
        "first_step_s": course.first_step_s,
        "step_s": course.step_s,
        "count": course.count,
        "status": course.status,
        "currency": course.currency,
        "net": course.net,
        "idle_net": course.idle_net,
        "gap_fraction": course.gap_fraction,
        "export_kw": {name: [round(kw, 3) for kw in values] for name, values in course.export_kw.items()},
        "premises": [
            {"input": p.input, "age_s": p.age_s, "check": p.check, "verdict": p.verdict} for p in course.premises
        ],
        "repairs": list(course.repairs),
    }


def _asset(dispatcher: Dispatcher, tick: Tick, unit: Unit, now: datetime, mono_s: float) -> dict[str, Any]:
    reading = tick.snapshot.readings[unit.id]
    told, wanted, answer = reading.telemetry, tick.decision.setpoints.get(unit.id), tick.outcome.get(unit.id)
    if wanted is None:
        why = reading.why or "measured only"
    elif isinstance(answer, Permit):
        why = f"{answer.why} (limit: {answer.narrowed_by})" if answer.narrowed_by else answer.why
    else:
        why = reading.why if answer is None else answer.why
    left_s = dispatcher.leases.remaining_s(unit.id, mono_s)
    return {
        "kind": unit.kind,
        "export_kw": None if told is None else told.export_kw,
        "age_s": None if reading.age_s is None else round(reading.age_s, 1),
        "verdict": reading.verdict,
        "stored_kwh": None if told is None else told.stored_kwh,
        "soc_fraction": None if told is None else _soc_fraction(unit, told.stored_kwh),
        "planned_kw": _planned_kw(dispatcher.course, unit, now),
        "wanted_kw": None if wanted is None else wanted.export_kw,
        "permitted_kw": answer.export_kw if isinstance(answer, Permit) else None,
        "owner": None if wanted is None else wanted.owner,
        "lease_s": None if left_s is None else round(left_s, 1),
        "follows": reading.follows,
        "why": why,
    }


def _soc_fraction(unit: Unit, stored_kwh: float | None) -> float | None:
    if stored_kwh is None or not unit.energy_capacity_kwh:
        return None
    return stored_kwh / unit.energy_capacity_kwh


def _planned_kw(course: Course | None, unit: Unit, now: datetime) -> float | None:
    step = None if course is None else course.step_at(now)
    values = None if course is None else course.export_kw.get(unit.id)
    return None if values is None or step is None else values[step]


def _plan(course: Course, now: datetime) -> dict[str, Any]:
    return {
        "id": course.id,
        "age_s": round((now - course.created).total_seconds(), 1),
        "until": _utc(course.end),
        "status": course.status,
        "gap_fraction": course.gap_fraction,
        "net": course.net,
        "idle_net": course.idle_net,
        "currency": course.currency,
    }


def _alarm(alarm: Alarm) -> dict[str, Any]:
    return {
        "code": alarm.code,
        "asset": alarm.asset,
        "severity": alarm.severity,
        "message": alarm.message,
        "remedy": alarm.remedy,
        "act_within_s": alarm.act_within_s,
        "since": _utc(alarm.since),
        "acknowledged_by": alarm.acknowledged_by,
    }


def _utc(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
