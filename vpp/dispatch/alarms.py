"""Which conditions demand a response now?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from vpp.domain.alarm import Alarm


@dataclass(frozen=True, slots=True)
class Rule:
    """What is told of one kind of condition."""

    severity: int
    cause: str
    consequence: str
    remedy: str
    cleared_when: str
    act_within_s: float | None = None


RULES: Mapping[str, Rule] = {
    "not_following": Rule(
        2,
        "the device ignores or limits its set-points",
        "others take over what they can; the rest is missing at the meter",
        "check the device's own fault list, then: vpp override SITE ASSET reset_trip",
        "it does what it is permitted again",
        720,
    ),
    "silent": Rule(
        2,
        "the device, its link or its gateway is down",
        "nothing is sent to it; it falls back when its lease ends",
        "check the device's power and link",
        "fresh telemetry arrives",
        300,
    ),
    "suspect": Rule(
        2,
        "a sensor, a unit or a clock of the device is wrong",
        "nothing is sent to it until its values agree again",
        "compare its values with its own display, then: vpp override SITE ASSET reset_trip",
        "ten values in a row agree, or more if it happens again",
        600,
    ),
    "refused": Rule(
        2,
        "the device does not take the command",
        "its lease runs out and it falls back",
        "read the reason it gives; the command is tried again when its lease would be renewed",
        "it accepts a command",
        300,
    ),
    "bad_messages": Rule(
        3,
        "the device sends what is no valid message",
        "these messages are refused; the last good values age",
        "check the device's firmware and unit settings",
        "a minute without a refused message",
    ),
    "retained_command": Rule(
        1,
        "somebody published a set-point with the retain flag",
        "a device that comes up may obey an old command",
        "find the publisher; the message was cleared",
        "a minute without another one",
        60,
    ),
    "unowned": Rule(
        2,
        "another controller or an interrupted command left it running",
        "it is brought to rest before the plan takes over",
        "find out who else controls it",
        "it is at rest or follows this dispatcher",
        300,
    ),
    "fenced": Rule(
        1,
        "another dispatcher with a later term leads these devices",
        "this one sends nothing any more",
        "stop one of the two",
        "this dispatcher is started again",
        60,
    ),
    "planner_failed": Rule(
        2,
        "planning failed or did not end in time",
        "the previous plan is followed to its end, then the rule",
        "read the reason; correct the inputs, or restart the daemon",
        "a plan is made",
        900,
    ),
    "input_substituted": Rule(
        2,
        "an input of the plan is missing, too old or implausible",
        "the plan rests on a substitute",
        "update the file or publish feed/SERIES",
        "a plan is made from the input itself",
        3600,
    ),
    "promise_broken": Rule(
        2,
        "no plan keeps every promise within the limits of devices and grid",
        "the plan gives up as little as possible: load that is not critical has to be cut, or capacity is missing",
        "cut the load that is named, or change what the message says would do",
        "a plan keeps every promise",
        900,
    ),
    "no_plan": Rule(
        2,
        "no plan covers this instant",
        "stores cover the site's own load; nothing is traded",
        "publish prices, or see why planning fails",
        "a plan covers this instant",
        900,
    ),
    "shortfall": Rule(
        2,
        "the assets that answer cannot deliver more",
        "the site does not deliver what was asked for",
        "bring assets back, or ask for less",
        "the target is reached",
        300,
    ),
    "over_limit": Rule(
        1,
        "loads, generation or a device that does not follow",
        "the connection may trip",
        "shed load or stop generation",
        "the site is inside its limit",
        60,
    ),
    "journal_failed": Rule(
        1,
        "the disk is full, read-only or failing",
        "set-points go on; new overrides are refused; nothing is recorded",
        "free space in the state folder",
        "a record is written",
        600,
    ),
    "clock_jump": Rule(
        2,
        "the clock of this machine was set",
        "plan steps and market blocks shift",
        "check the time synchronisation",
        "an hour without another jump",
        3600,
    ),
}


@dataclass(frozen=True, slots=True)
class Change:
    """An alarm that was raised or told anew, or one that was cleared."""

    alarm: Alarm
    is_cleared: bool


class AlarmBoard:
    """Alarms that stand, and what changed since they were last asked for."""

    def __init__(self) -> None:
        self._standing: dict[tuple[str, str], Alarm] = {}
        self._changed: dict[tuple[str, str], Change] = {}
        self._shelved: frozenset[tuple[str, str]] = frozenset()

    def set(self, code: str, asset: str, message: str, now: datetime) -> None:
        """A condition holds. Its message may change as it goes on; the instant it began does not."""
        standing = self._standing.get((code, asset))
        if standing is not None and standing.message == message:
            return
        rule = RULES[code]
        alarm = Alarm(
            code=code,
            asset=asset,
            severity=rule.severity,
            message=message,
            cause=rule.cause,
            consequence=rule.consequence,
            remedy=rule.remedy,
            since=now if standing is None else standing.since,
            cleared_when=rule.cleared_when,
            act_within_s=rule.act_within_s,
            acknowledged_by=None if standing is None else standing.acknowledged_by,
        )
        self._standing[code, asset] = alarm
        self._tell(alarm, is_cleared=False)

    def clear(self, code: str, asset: str) -> None:
        """A condition holds no more."""
        alarm = self._standing.pop((code, asset), None)
        if alarm is not None:
            self._tell(alarm, is_cleared=True)

    def hold(self, code: str, asset: str, message: str | None, now: datetime) -> None:
        """A condition holds with a message, or holds no more where there is none."""
        if message is None:
            self.clear(code, asset)
        else:
            self.set(code, asset, message, now)

    def acknowledge(self, code: str, asset: str, operator: str) -> bool:
        """An operator has taken note.

        Returns:
            Whether there is such an alarm.

        """
        standing = self._standing.get((code, asset))
        if standing is None:
            return False
        self._standing[code, asset] = seen = replace(standing, acknowledged_by=operator)
        self._tell(seen, is_cleared=False)
        return True

    def shelve(self, shelved: Iterable[tuple[str, str]]) -> None:
        """Show all alarms but these, by code and asset; one that is not shelved any more shows again if it stands."""
        former, self._shelved = self._shelved, frozenset(shelved)
        for key in sorted(former ^ self._shelved):
            if key in self._standing:
                self._changed[key] = Change(self._standing[key], is_cleared=key in self._shelved)

    def standing(self) -> list[Alarm]:
        """Alarms that stand and are not shelved, the most urgent first, then the oldest."""
        shown = [alarm for key, alarm in self._standing.items() if key not in self._shelved]
        return sorted(shown, key=lambda alarm: (alarm.severity, alarm.since, alarm.code, alarm.asset))

    def take_changes(self) -> list[Change]:
        """What changed since the last call."""
        changed, self._changed = self._changed, {}
        return list(changed.values())

    def _tell(self, alarm: Alarm, *, is_cleared: bool) -> None:
        key = (alarm.code, alarm.asset)
        if key not in self._shelved:
            self._changed[key] = Change(alarm, is_cleared)
