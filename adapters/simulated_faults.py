"""What is wrong with a simulated device at the moment, and what does that do to its messages?"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from math import inf
from typing import assert_never

from adapters.port import Outgoing
from adapters.scenario import ClockOffset, Fault, Gain, Late, PlainFault, Reboot, SocJump, WrongUnit
from vpp.domain.telemetry import Telemetry


@dataclass(slots=True)
class Condition:
    """What is wrong with a device; by default, nothing."""

    is_silent: bool = False
    is_stuck: bool = False
    refuses: bool = False
    ignores: bool = False
    is_garbage: bool = False
    is_duplicated: bool = False
    is_out_of_order: bool = False
    is_tripped: bool = False
    is_disconnected: bool = False
    is_off: bool = False
    gain: float = 1.0
    power_unit: float = 1.0
    soc_shift_fraction: float = 0.0
    delay_s: float = 0.0
    clock_offset_s: float = 0.0

    @property
    def is_deaf(self) -> bool:
        """Whether no message reaches it or comes from it."""
        return self.is_disconnected or self.is_off

    @property
    def is_open(self) -> bool:
        """Whether its breaker is open: no power flows."""
        return self.is_tripped or self.is_off

    def told(self, telemetry: Telemetry) -> Telemetry:
        """Telemetry with wrong values in it."""
        if self.power_unit != 1:
            limits = telemetry.limits
            if limits is not None:
                limits = replace(
                    limits,
                    charge_kw=limits.charge_kw * self.power_unit,
                    discharge_kw=limits.discharge_kw * self.power_unit,
                )
            telemetry = replace(telemetry, export_kw=telemetry.export_kw * self.power_unit, limits=limits)
        stored_kwh, soc_fraction = telemetry.stored_kwh, telemetry.soc_fraction
        if self.soc_shift_fraction and stored_kwh is not None and soc_fraction:
            shifted = min(max(soc_fraction + self.soc_shift_fraction, 0.0), 1.0)
            telemetry = replace(
                telemetry, soc_fraction=shifted, stored_kwh=round(stored_kwh * shifted / soc_fraction, 4)
            )
        return telemetry


def condition_at(faults: Sequence[Fault], elapsed_s: float) -> Condition:
    """What is wrong so long after the start of the simulation."""
    now = Condition()
    for fault in faults:
        if fault.is_on(elapsed_s):
            _apply(fault, now)
    return now


def next_change_s(faults: Sequence[Fault], elapsed_s: float) -> float:
    """When the condition changes next, from the start of the simulation; infinity for never."""
    instants = (instant for fault in faults for instant in (fault.at_s, fault.end_s) if instant > elapsed_s)
    return min(instants, default=inf)


def _apply(fault: Fault, now: Condition) -> None:
    match fault:
        case PlainFault():
            _apply_plain(fault, now)
        case Gain():
            now.gain = fault.factor
        case Reboot():
            now.is_off = True
        case WrongUnit():
            now.power_unit = fault.factor
        case SocJump():
            now.soc_shift_fraction = fault.by_fraction
        case Late():
            now.delay_s = fault.delay_s
        case ClockOffset():
            now.clock_offset_s = fault.offset_s
        case _:
            assert_never(fault)


def _apply_plain(fault: PlainFault, now: Condition) -> None:
    match fault.fault:
        case "silent":
            now.is_silent = True
        case "stuck":
            now.is_stuck = True
        case "refuse":
            now.refuses = True
        case "ignore":
            now.ignores = True
        case "garbage":
            now.is_garbage = True
        case "duplicated":
            now.is_duplicated = True
        case "out_of_order":
            now.is_out_of_order = True
        case "trip":
            now.is_tripped = True
        case "disconnect":
            now.is_disconnected = True
        case _:
            assert_never(fault.fault)


class Line:
    """The way of a device's messages to the broker, which may double, delay, swap or lose them.

    Args:
        send: Hands a message to the broker.

    """

    def __init__(self, send: Callable[[Outgoing], bool]) -> None:
        self._send = send
        self._delayed: list[tuple[float, Outgoing]] = []
        self._held: Outgoing | None = None

    def say(self, message: Outgoing, condition: Condition, mono_s: float) -> None:
        """Send a message in this condition."""
        if condition.is_deaf or condition.is_silent:
            return
        if condition.delay_s:
            self._delayed.append((mono_s + condition.delay_s, message))
        elif condition.is_out_of_order and self._held is None:
            self._held = message
        else:
            self._send(message)
            if condition.is_duplicated:
                self._send(message)
            self._release()

    def flush(self, mono_s: float) -> None:
        """Send what was delayed until now."""
        while self._delayed and self._delayed[0][0] <= mono_s:
            self._send(self._delayed.pop(0)[1])

    def lose(self) -> None:
        """Lose what is on the way, as with a connection."""
        self._delayed.clear()
        self._held = None

    def _release(self) -> None:
        if self._held is not None:
            held, self._held = self._held, None
            self._send(held)


class Garbage:
    """Telemetry that is none, one kind after another."""

    def __init__(self) -> None:
        self._turn = count()

    def of(self, payload: bytes) -> bytes:
        """A broken form of a good payload."""
        return _BREAKS[next(self._turn) % len(_BREAKS)](payload)


def _with_power(text: bytes) -> Callable[[bytes], bytes]:
    def broken(payload: bytes) -> bytes:
        before, _, after = payload.partition(b'"export_kw":')
        return before + b'"export_kw":' + text + b"," + after.partition(b",")[2]

    return broken


_SOC = re.compile(rb'"soc_fraction":[^,}]+,?')
_BREAKS: tuple[Callable[[bytes], bytes], ...] = (
    _with_power(b"NaN"),
    _with_power(b"-Infinity"),
    _with_power(b"1e308"),
    _with_power(b'"12 kW"'),
    _with_power(b"null"),
    lambda payload: _SOC.sub(b"", payload)[:-1] + b',"soc_fraction":-0.5}',
    lambda payload: payload[: len(payload) // 2],
    lambda payload: b"[" * 2000 + payload,
    lambda _: b"\xff\xfe\x00",
    lambda _: b"",
)
