"""Which command does a device follow, and until when? The device's side of a lease.

Time is counted on the device's monotonic clock from receipt, so that a wall clock that jumps neither shortens nor
lengthens a lease.
"""

from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import assert_never

from vpp.domain.command import Command
from vpp.domain.telemetry import Lease
from vpp.domain.unit import Fallback, Mode, Unit

LONGEST_LOOKAHEAD_S = 900.0
"""So long after the end of a lease its lookahead is followed, then the fallback."""
FORMING = frozenset((Mode.GFM_DROOP, Mode.GFM_VSM, Mode.GFM_ISOCHRONOUS, Mode.BLACK_START))
_ROUNDING_KW = 1e-6


@dataclass(frozen=True, slots=True)
class Held:
    """A command that is, or was, in force."""

    command: Command
    end_s: float
    """First instant at which it does not hold any more, by the monotonic clock."""
    lookahead: tuple[tuple[float, float], ...]
    """What to do from an instant on [s by the monotonic clock, kW], in order of time."""

    @property
    def export_kw(self) -> float:
        """What the device is told to do."""
        return 0.0 if self.command.mode is Mode.STANDBY else self.command.export_kw


@dataclass(frozen=True, slots=True)
class Target:
    """What the device is to do; no power leaves it to its own control."""

    export_kw: float | None
    ramp_kw_per_s: float | None = None


class DeviceLease:
    """What one device holds.

    Args:
        unit: The device.
        modes: What its inverter can do.
        is_clock_synced: Whether its wall clock may be trusted.

    """

    def __init__(self, unit: Unit, modes: tuple[Mode, ...], *, is_clock_synced: bool) -> None:
        self._unit, self._modes, self._is_clock_synced = unit, modes, is_clock_synced
        self._newest = (-1, -1)
        self._ended: Held | None = None
        self._last_kw: float | None = None
        self.held: Held | None = None
        """The command in force."""
        self.target = self._fallen_back()
        self.next_change_s = inf
        """When the target changes next, if nothing arrives, by the monotonic clock."""

    def judge(self, command: Command, wall: datetime, *, is_retained: bool) -> str | None:
        """Take note of a command.

        A command that is refused for what it asks still counts as seen: nothing older is obeyed after it.

        Returns:
            Why it cannot be accepted; nothing if it can.

        """
        if is_retained:
            return "retained: a command is never kept by a broker"
        order = (command.epoch, command.seq)
        if order <= self._newest:
            return f"superseded: epoch {self._newest[0]}, seq {self._newest[1]} was seen"
        self._newest = order
        return self._late_or_early(command, wall) or self._impossible(command)

    def accept(self, command: Command, wall: datetime, mono_s: float) -> None:
        """Follow a command from now on."""
        lease_s = command.ttl_ms / 1000
        if self._is_clock_synced:
            lease_s = min(lease_s, (command.valid_until - wall).total_seconds())
        reference = wall if self._is_clock_synced else command.issued_at
        steps = ((mono_s + (step.at - reference).total_seconds(), step.export_kw) for step in command.lookahead)
        self.held, self._ended = Held(command, mono_s + lease_s, tuple(sorted(steps))), None
        self._last_kw = self.held.export_kw
        self.target = Target(self.held.export_kw, command.ramp_kw_per_s)
        self.next_change_s = self.held.end_s

    def settle(self, mono_s: float) -> Command | None:
        """Do what is due at an instant.

        Returns:
            The command whose lease has ended just now; nothing where none has.

        """
        ended = None
        if self.held is not None and mono_s >= self.held.end_s:
            ended, self._ended, self.held = self.held.command, self.held, None
        if self.held is None:
            self._follow_none(mono_s)
        return ended

    def drop(self) -> Command | None:
        """Follow nobody any more, at once.

        Returns:
            The command that was in force.

        """
        held, self.held, self._ended, self._last_kw = self.held, None, None, None
        self.target, self.next_change_s = self._fallen_back(), inf
        return None if held is None else held.command

    def told(self, mono_s: float) -> Lease | None:
        """The lease as telemetry tells it."""
        if self.held is None:
            return None
        command = self.held.command
        return Lease(command.epoch, command.seq, max(0, round((self.held.end_s - mono_s) * 1000)))

    def _late_or_early(self, command: Command, wall: datetime) -> str | None:
        if self._is_clock_synced and wall < command.not_before:
            return f"early: it is {wall.isoformat()}, and it holds from {command.not_before.isoformat()}"
        if self._is_clock_synced and wall >= command.valid_until:
            return f"late: it is {wall.isoformat()}, and it held until {command.valid_until.isoformat()}"
        return None

    def _impossible(self, command: Command) -> str | None:
        unit = self._unit
        if not unit.is_controllable:
            return "not_controllable: this device takes no set-points"
        if command.mode not in self._modes:
            return f"mode: {command.mode} is none of {', '.join(self._modes)}"
        if (command.gfm is not None) != (command.mode in FORMING):
            return f"gfm: mode {command.mode} {'needs' if command.gfm is None else 'takes no'} forming set-points"
        for kw in (command.export_kw, *(step.export_kw for step in command.lookahead)):
            if not -unit.charge_kw - _ROUNDING_KW <= kw <= unit.discharge_kw + _ROUNDING_KW:
                return f"out_of_range: {kw:g} kW is outside −{unit.charge_kw:g} to {unit.discharge_kw:g} kW"
        return None

    def _follow_none(self, mono_s: float) -> None:
        """Follow the lookahead of the command that ended, where there is any, else the fallback."""
        self.target, self.next_change_s = self._fallen_back(), inf
        if self._ended is None:
            return
        last_s = self._ended.end_s + LONGEST_LOOKAHEAD_S
        if mono_s >= last_s:
            self._ended = None
            return
        begun = [kw for at_s, kw in self._ended.lookahead if at_s <= mono_s]
        later = [at_s for at_s, _ in self._ended.lookahead if mono_s < at_s < last_s]
        if begun:
            self.target, self._last_kw = Target(begun[-1], self._ended.command.ramp_kw_per_s), begun[-1]
        if begun or later:
            self.next_change_s = min((*later, last_s))

    def _fallen_back(self) -> Target:
        match self._unit.fallback:
            case Fallback.HOLD:
                return Target(self._last_kw)
            case Fallback.RAMP_TO_ZERO:
                return Target(0.0)
            case Fallback.SELF_CONSUMPTION | Fallback.LOCAL_CONTROL | Fallback.ISLAND_HOLD:
                return Target(None)
            case _:
                assert_never(self._unit.fallback)
