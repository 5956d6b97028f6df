"""The running site: everything heard so far, and what a tick makes of it.

Time is an argument, and nothing here waits, writes or sends. The shell around it hands in what it hears, calls `tick`,
journals the result, sends it, and tells `sent`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from math import inf

from adapters.protocols import Stamp
from vpp.control.decide import decide
from vpp.dispatch.alarms import AlarmBoard
from vpp.dispatch.desk import Desk, Judgement
from vpp.dispatch.expected import Expected, expected
from vpp.dispatch.leases import Leases
from vpp.dispatch.mailbox import Mailbox
from vpp.dispatch.restarts import Restarts
from vpp.dispatch.tick import Settings, Tick
from vpp.dispatch.watch import Watch
from vpp.domain.command import Ack, AckStatus, Presence
from vpp.domain.course import Course
from vpp.domain.override import SITE, Action, AnswerStatus, Override, Request
from vpp.domain.setpoint import Permit
from vpp.domain.snapshot import Signal, Snapshot
from vpp.domain.telemetry import Birth, Reading, Telemetry
from vpp.domain.unit import Connection, Kind, Unit
from vpp.safety import permits

LONGEST_SIGNAL_S = 10.0
"""A market signal that is not renewed for so long counts no more."""
DEVIATION_SHARE = 0.05
"""Stored energy that differs from the plan by this share of the capacity calls for a new plan."""


class Dispatcher:
    """One term of leading a site.

    Args:
        settings: How the site is run.
        epoch: The term; greater than that of every dispatcher before.
        desk: Requests seen and overrides in force, as the journal tells.

    """

    def __init__(self, settings: Settings, epoch: int, desk: Desk) -> None:
        self.settings, self.desk = settings, desk
        self.mailbox = Mailbox(settings.units, settings.tick_s)
        self.leases = Leases(settings.units, epoch)
        self.alarms = AlarmBoard()
        self.course: Course | None = None
        self.planner_failure: str | None = None
        self.is_fenced = False
        self.latest: Tick | None = None
        self._signal: tuple[float, Signal] | None = None
        self._restarts = Restarts(settings.units)
        self._watch = Watch(settings, self.mailbox, self.leases, self.alarms)

    def hear(self, told: Birth | Telemetry | Ack | Presence, now: datetime, mono_s: float) -> None:
        """Take in what a device says."""
        match told:
            case Birth():
                known = self.mailbox.birth_of(told.asset_id)
                if known is None or known.boot_id != told.boot_id:
                    self.leases.forget(told.asset_id)
                    self._watch.forget(told.asset_id)
                self.mailbox.birth(told)
            case Telemetry():
                reason = self.mailbox.telemetry(told, mono_s)
                if reason == "unknown_boot":
                    self._watch.bad_message(told.asset_id, "telemetry of a boot that was never announced", now, mono_s)
                if reason is None and told.lease is not None and told.lease.epoch > self.leases.epoch:
                    self._step_down(told.asset_id, told.lease.epoch, now)
            case Presence():
                self.mailbox.presence(told)
            case Ack():
                self._hear_ack(told, now)

    def _hear_ack(self, ack: Ack, now: datetime) -> None:
        asset_id, is_refused = ack.asset_id, self.leases.acknowledged(ack)
        if is_refused:
            self.mailbox.following(asset_id).released()
            self.alarms.set("refused", asset_id, f"{asset_id} refuses its set-point: {ack.reason}", now)
        elif ack.status is AckStatus.ACCEPTED:
            self.alarms.clear("refused", asset_id)
        # A refused command tells nothing of whom the device follows: anybody could have sent it.
        if ack.status is not AckStatus.REJECTED and ack.epoch > self.leases.epoch:
            self._step_down(asset_id, ack.epoch, now)

    def hear_bad(self, asset_id: str, problem: str, now: datetime, mono_s: float) -> None:
        """Count a message that could not be read."""
        self.mailbox.refused(asset_id, "malformed")
        self._watch.bad_message(asset_id, problem, now, mono_s)

    def hear_retained_command(self, asset_id: str, now: datetime, mono_s: float) -> None:
        """Name a command that somebody left at the broker, where a device that comes up would find it."""
        self._watch.retained_command(asset_id, now, mono_s)

    def hear_signal(self, signal: Signal, mono_s: float) -> None:
        """Take in what a market asks for; it holds until the next, and for a few seconds at most."""
        self._signal = (mono_s, signal)

    def adopt(self, course: Course, now: datetime) -> None:
        """Follow a new plan from the next tick on."""
        self.course, self.planner_failure = course, None
        self.alarms.clear("planner_failed", SITE)
        substituted = [premise.input for premise in course.premises if premise.verdict != "ok"]
        message = f"a substitute stands for {', '.join(substituted)}" if substituted else None
        self.alarms.hold("input_substituted", SITE, message, now)
        self.alarms.hold("promise_broken", SITE, " ".join(course.repairs).removesuffix(".") or None, now)

    def planning_failed(self, reason: str, now: datetime) -> None:
        """The last planning gave nothing; the plan before goes on."""
        self.planner_failure = reason
        self.alarms.set("planner_failed", SITE, f"no new plan: {reason}", now)

    def judge(self, request: Request, *, is_retained: bool, now: datetime, mono_s: float) -> Judgement:
        """Say what becomes of an operator's request; nothing is in force until `enact`."""
        snapshot = self._snapshot(self.mailbox.readings(mono_s), now, mono_s)
        at_rest = replace(snapshot, units=tuple(replace(unit, ramp_kw_per_s=inf) for unit in snapshot.units))

        def preview(overrides: tuple[Override, ...]) -> Expected:
            under = replace(at_rest, overrides=_deciding(overrides), connection=self._connection(overrides))
            decision = decide(under, self.course)
            return expected(under, decision, permits(under, decision))

        standing = {(alarm.code, alarm.asset) for alarm in self.alarms.standing()}
        return self.desk.judge(request, is_retained=is_retained, now=now, preview=preview, alarms=standing)

    def enact(self, judgement: Judgement) -> None:
        """Put a judged request in force; it has been journalled."""
        self.desk.enact(judgement)
        request = judgement.request
        if judgement.answer.status is AnswerStatus.REJECTED:
            return
        if request.action is Action.RESET_TRIP:
            for unit in self.settings.units:
                if request.asset in (unit.id, SITE):
                    self.mailbox.trust(unit.id)
        elif request.action is Action.ACK_ALARM:
            self.alarms.acknowledge(str(request.value), request.asset, request.operator)
        self._shelve()

    def tick(self, now: datetime, mono_s: float) -> Tick:
        """Freeze what is known, decide, permit, and say which commands are due."""
        ended = tuple(self.desk.end(now))
        self._shelve()
        readings = self.mailbox.readings(mono_s)
        self._watch.look_for_owners(readings, now)
        snapshot = self._snapshot(readings, now, mono_s)
        decision = decide(snapshot, self.course)
        outcome = permits(snapshot, decision)
        self._restarts.note(decision, outcome, mono_s)
        due = () if self.is_fenced else tuple(self.leases.due(outcome, now, mono_s))
        self.latest = Tick(snapshot, decision, outcome, due, ended)
        self._watch.look(self.latest, now, mono_s)
        return self.latest

    def sent(self, permit: Permit, stamp: Stamp, mono_s: float) -> None:
        """Note a command that goes to the broker now; its answer may come at once."""
        self.leases.sent(permit, stamp, mono_s)
        self.mailbox.following(permit.asset_id).permitted(permit.export_kw, permit.lease_s, mono_s)

    def unsent(self, asset_id: str) -> None:
        """The broker did not take the last command."""
        self.leases.unsent(asset_id)
        self.mailbox.following(asset_id).released()

    def deviation(self, now: datetime) -> str | None:
        """Why the plan in force no longer fits what is measured; nothing if it does."""
        step = None if self.course is None else self.course.step_at(now)
        if self.course is None or step is None or self.latest is None:
            return None
        for unit in self.settings.units:
            measured = self.latest.snapshot.readings[unit.id].fresh
            if measured is None or measured.stored_kwh is None or unit.energy_capacity_kwh is None:
                continue
            planned_kwh = _planned_kwh(self.course, unit, step, now)
            if planned_kwh is not None and (
                abs(measured.stored_kwh - planned_kwh) > DEVIATION_SHARE * unit.energy_capacity_kwh
            ):
                return f"{unit.id} holds {measured.stored_kwh:,.0f} kWh, planned {planned_kwh:,.0f}"
        return None

    def _shelve(self) -> None:
        self.alarms.shelve({(str(o.value), o.asset) for o in self.desk.overrides if o.action is Action.SHELVE_ALARM})

    def _snapshot(self, readings: Mapping[str, Reading], now: datetime, mono_s: float) -> Snapshot:
        settings = self.settings
        signal = self._signal
        is_signalled = signal is not None and mono_s - signal[0] <= LONGEST_SIGNAL_S
        return Snapshot(
            now=now,
            tick_s=settings.tick_s,
            lease_s=settings.lease_s,
            connection=self._connection(self.desk.overrides),
            units=settings.units,
            readings=readings,
            course_id=None if self.course is None else self.course.id,
            is_planner_well=self.planner_failure is None,
            overrides=_deciding(self.desk.overrides),
            signal=signal[1] if signal is not None and is_signalled else None,
            permits=self.leases.in_force(mono_s),
            reclaimed=self._watch.reclaimed,
            turned_down=self._restarts.left(mono_s),
        )

    def _connection(self, overrides: Iterable[Override]) -> Connection:
        """What the site may exchange, as far as operators leave it."""
        limits_kw = [
            float(o.value)
            for o in overrides
            if o.asset == SITE and o.action is Action.LIMIT_KW and isinstance(o.value, int | float)
        ]
        own = self.settings.connection
        return Connection(min(own.import_limit_kw, *limits_kw, inf), min(own.export_limit_kw, *limits_kw, inf))

    def _step_down(self, asset_id: str, epoch: int, now: datetime) -> None:
        self.is_fenced = True
        message = f"{asset_id} follows term {epoch}, ours is {self.leases.epoch}"
        self.alarms.set("fenced", SITE, message, now)


def _deciding(overrides: Iterable[Override]) -> tuple[Override, ...]:
    """Overrides that bear on what assets do."""
    return tuple(override for override in overrides if override.action is not Action.SHELVE_ALARM)


def _planned_kwh(course: Course, unit: Unit, step: int, now: datetime) -> float | None:
    """Planned energy at an instant, on the line between the ends of its step."""
    stored_kwh = course.stored_kwh.get(unit.id)
    if stored_kwh is None or step == 0 or unit.kind is not Kind.STORAGE:
        return None
    ends = course.start + timedelta(seconds=course.first_step_s + course.step_s * step)
    left = (ends - now).total_seconds() / course.step_s
    return stored_kwh[step] + left * (stored_kwh[step - 1] - stored_kwh[step])
