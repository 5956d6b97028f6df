"""What does a tick tell that an operator must know? Alarms, and devices that are found running without an owner."""

from collections.abc import Mapping
from datetime import datetime

from vpp.control.decide import RULE
from vpp.dispatch.alarms import AlarmBoard
from vpp.dispatch.leases import Leases
from vpp.dispatch.mailbox import Mailbox
from vpp.dispatch.tick import Settings, Tick
from vpp.domain.override import SITE
from vpp.domain.telemetry import Reading, Telemetry, Verdict
from vpp.domain.unit import Kind, Mode, Unit

GRACE_TICKS = 10
"""So many ticks after the start nothing is said of devices that have not come up yet."""
PLAN_GRACE_TICKS = 30
"""So many ticks after the start the first plan may take."""
QUIET_S = 60.0
"""A minute without bad messages ends that alarm."""
JUMP_S = 2.0
"""A wall clock that moves by more than this against the monotonic one was set."""
CLOCK_ALARM_S = 3600.0
SMALLEST_SHORTFALL_SHARE = 0.01
"""A residual below this share of the target is rounding and lag."""
SHORTFALL_TICKS = 2
OVER_LIMIT_TICKS = 5
RESTING_SHARE = 0.03
"""A device within this share of its rating is at rest."""
RECLAIM_TICKS = 30
"""So long a device is given to come to rest."""


class Watch:
    """Looks at every tick.

    Args:
        settings: How the site is run.
        mailbox: What devices say.
        leases: Commands in force.
        alarms: Where conditions are told.

    """

    def __init__(self, settings: Settings, mailbox: Mailbox, leases: Leases, alarms: AlarmBoard) -> None:
        self._settings, self._mailbox, self._leases, self._alarms = settings, mailbox, leases, alarms
        self._tick_count = 0
        self._seen: set[str] = set()
        self._reclaimed: dict[str, int] = {}
        self._bad_since_s: dict[tuple[str, str], float] = {}
        self._clock: tuple[datetime, float] | None = None
        self._clock_jumped_s = -CLOCK_ALARM_S
        self._short_ticks = self._over_ticks = 0

    @property
    def reclaimed(self) -> tuple[str, ...]:
        """Assets that are being brought to rest."""
        return tuple(sorted(self._reclaimed))

    def forget(self, asset_id: str) -> None:
        """A device came up anew: what it is found doing must be looked at again."""
        self._seen.discard(asset_id)
        self._reclaimed.pop(asset_id, None)

    def bad_message(self, asset_id: str, problem: str, now: datetime, mono_s: float) -> None:
        """A message of a device was refused."""
        self._bad_since_s["bad_messages", asset_id] = mono_s
        self._alarms.set("bad_messages", asset_id, f"{asset_id} sends bad messages: {problem}", now)

    def retained_command(self, asset_id: str, now: datetime, mono_s: float) -> None:
        """A command was found at the broker; it is cleared there."""
        self._bad_since_s["retained_command", asset_id] = mono_s
        message = f"a set-point for {asset_id} was retained at the broker; it was cleared"
        self._alarms.set("retained_command", asset_id, message, now)

    def look_for_owners(self, readings: Mapping[str, Reading], now: datetime) -> None:
        """Find, before anything is decided, devices that run although nobody leads them."""
        for unit in self._settings.units:
            told = readings[unit.id].fresh
            if told is not None and unit.is_controllable:
                self._look_for_owner(unit, told, now)

    def look(self, tick: Tick, now: datetime, mono_s: float) -> None:
        """Raise and clear alarms after a tick."""
        self._tick_count += 1
        self._look_at_clock(now, mono_s)
        for unit in self._settings.units:
            reading = tick.snapshot.readings[unit.id]
            self._look_at_device(unit, reading, now)
        for code, asset_id in [key for key, since_s in self._bad_since_s.items() if mono_s - since_s > QUIET_S]:
            del self._bad_since_s[code, asset_id]
            self._alarms.clear(code, asset_id)
        self._look_at_plan(tick, now)
        self._look_at_target(tick, now)
        self._look_at_connection(tick, now)

    def _look_at_device(self, unit: Unit, reading: Reading, now: datetime) -> None:
        is_silent = reading.verdict in (Verdict.STALE, Verdict.MISSING) and self._tick_count > GRACE_TICKS
        # A message that counts seconds would be a new one each second: what began is told once.
        silence = "went offline" if reading.why == "went offline" else "is silent"
        self._alarms.hold("silent", unit.id, f"{unit.id} {silence}" if is_silent else None, now)
        doubt = f"{unit.id} is not believed: {reading.why}" if reading.verdict is Verdict.SUSPECT else None
        self._alarms.hold("suspect", unit.id, doubt, now)
        off_by_kw = self._mailbox.following(unit.id).off_by_kw
        if reading.follows:
            self._alarms.clear("not_following", unit.id)
        elif off_by_kw is not None:
            self._alarms.set("not_following", unit.id, f"{unit.id} does not do what it was permitted", now)

    def _look_for_owner(self, unit: Unit, told: Telemetry, now: datetime) -> None:
        """A device that runs although nobody leads it is brought to rest before the plan takes over."""
        resting_kw = RESTING_SHARE * max(unit.charge_kw, unit.discharge_kw)
        if unit.id not in self._seen:
            self._seen.add(unit.id)
            is_running = unit.kind is Kind.STORAGE and abs(told.export_kw) > resting_kw
            if told.lease is None and (is_running or told.mode not in (Mode.GFL, Mode.STANDBY)):
                self._reclaimed[unit.id] = self._tick_count
                message = f"{unit.id} was found in {told.mode} at {told.export_kw:,.0f} kW, led by nobody"
                self._alarms.set("unowned", unit.id, message, now)
            return
        is_resting = abs(told.export_kw) <= resting_kw and told.mode in (Mode.GFL, Mode.STANDBY)
        began = self._reclaimed.get(unit.id)
        if began is not None and (is_resting or self._tick_count - began > RECLAIM_TICKS):
            del self._reclaimed[unit.id]
        is_led = told.lease is not None and told.lease.epoch == self._leases.epoch
        if is_resting or (is_led and unit.id not in self._reclaimed):
            self._alarms.clear("unowned", unit.id)

    def _look_at_clock(self, now: datetime, mono_s: float) -> None:
        if self._clock is not None:
            moved_s = (now - self._clock[0]).total_seconds() - (mono_s - self._clock[1])
            if abs(moved_s) > JUMP_S:
                self._clock_jumped_s = mono_s
                self._alarms.set("clock_jump", SITE, f"the clock was moved by {moved_s:+,.0f} s", now)
        self._clock = (now, mono_s)
        if mono_s - self._clock_jumped_s > CLOCK_ALARM_S:
            self._alarms.clear("clock_jump", SITE)

    def _look_at_plan(self, tick: Tick, now: datetime) -> None:
        is_told = any(override.asset == SITE for override in tick.snapshot.overrides)
        is_missing = tick.decision.rung >= RULE and not is_told and self._tick_count > PLAN_GRACE_TICKS
        self._alarms.hold("no_plan", SITE, "no plan covers this instant" if is_missing else None, now)

    def _look_at_target(self, tick: Tick, now: datetime) -> None:
        decision = tick.decision
        smallest_kw = SMALLEST_SHORTFALL_SHARE * abs(decision.target_kw or 0.0)
        is_short = decision.target_kw is not None and abs(decision.residual_kw) > smallest_kw
        self._short_ticks = self._short_ticks + 1 if is_short else 0
        if self._short_ticks >= SHORTFALL_TICKS:
            message = f"{abs(decision.residual_kw):,.0f} kW of {decision.target_kw:,.0f} kW cannot be delivered"
            self._alarms.set("shortfall", SITE, message, now)
        elif not is_short:
            self._alarms.clear("shortfall", SITE)

    def _look_at_connection(self, tick: Tick, now: datetime) -> None:
        readings = [reading.fresh for reading in tick.snapshot.readings.values()]
        export_kw = sum(told.export_kw for told in readings if told is not None)
        limits = tick.snapshot.connection
        limit_kw = limits.export_limit_kw if export_kw > 0 else limits.import_limit_kw
        is_over = all(told is not None for told in readings) and abs(export_kw) > 1.01 * limit_kw
        self._over_ticks = self._over_ticks + 1 if is_over else 0
        if self._over_ticks >= OVER_LIMIT_TICKS:
            way = "exports" if export_kw > 0 else "imports"
            message = f"the site {way} {abs(export_kw):,.0f} kW, allowed are {limit_kw:,.0f}"
            self._alarms.set("over_limit", SITE, message, now)
        elif not is_over:
            self._alarms.clear("over_limit", SITE)
