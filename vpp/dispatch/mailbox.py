"""What do the devices say, and how much of it may be believed?

Messages only fill the mailbox; a tick freezes what is in it. A value that contradicts physics or itself puts its asset
under suspicion until a run of values agrees again.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

from vpp.dispatch.following import FORGIVEN_S, Following
from vpp.domain.command import Presence
from vpp.domain.telemetry import Birth, Quality, Reading, Telemetry, Verdict
from vpp.domain.unit import Unit

STALE_PERIODS = 3
"""A value older than so many ticks is stale."""
JUMP_SHARE = 0.02
"""Stored energy may jump by this share of the capacity beyond what power and time explain."""
TRUSTED_AGAIN, LATEST_TRUSTED_AGAIN = 10, 640
"""So many values in a row must agree before a suspect asset is trusted again; twice as many each time, up to the
second number, until an hour has passed without a doubt."""
STUCK_AFTER = 10
"""So many equal values in a row are stuck, where the device should have moved."""


@dataclass
class _Box:
    unit: Unit
    following: Following
    birth: Birth | None = None
    gone_boot_id: str | None = None
    """The life that the device, or its broker, said is over."""
    last: Telemetry | None = None
    received_s: float = 0.0
    equal_count: int = 0
    doubts_left: int = 0
    """Values that must still agree."""
    agreeing_count: int = TRUSTED_AGAIN
    """Values that must agree after a doubt."""
    doubted_s: float = -inf
    doubt: str = ""
    refused: Counter[str] = field(default_factory=Counter)


class Mailbox:
    """The latest word of every device.

    Args:
        units: Assets of the site.
        tick_s: Time between two values of a device.

    """

    def __init__(self, units: tuple[Unit, ...], tick_s: float) -> None:
        self._boxes = {unit.id: _Box(unit, Following(unit, tick_s)) for unit in units}
        self._stale_s = STALE_PERIODS * tick_s

    def birth(self, birth: Birth) -> None:
        """A device came up; what an earlier life of it said counts no more."""
        box = self._boxes[birth.asset_id]
        if box.birth is None or box.birth.boot_id != birth.boot_id:
            box.last, box.equal_count, box.doubts_left = None, 0, 0
            box.following.released()
        box.birth = birth

    def presence(self, presence: Presence) -> None:
        """A device came, or its broker says that it has gone. The will of an earlier life says nothing of this one."""
        box = self._boxes[presence.owner]
        if not presence.is_online:
            box.gone_boot_id = presence.boot_id
        elif box.gone_boot_id == presence.boot_id:
            box.gone_boot_id = None

    def telemetry(self, told: Telemetry, mono_s: float) -> str | None:
        """Take in measured values.

        Returns:
            Why they are refused; nothing if they are taken.

        """
        box = self._boxes[told.asset_id]
        refusal = _refusal(box, told)
        if refusal is not None:
            box.refused[refusal] += 1
            return refusal
        previous, previous_s = box.last, box.received_s
        box.last, box.received_s = told, mono_s
        box.equal_count = box.equal_count + 1 if previous is not None and _same(previous, told) else 0
        doubt = _doubt(box, previous, told, mono_s - previous_s)
        if not doubt:
            box.following.measured(told.export_kw, mono_s)
            doubt = _stuck_doubt(box)
        if doubt:
            _distrust(box, doubt, mono_s)
        elif box.doubts_left:
            box.doubts_left -= 1
        return None

    def refused(self, asset_id: str, reason: str) -> None:
        """Count a message that was no telemetry at all."""
        self._boxes[asset_id].refused[reason] += 1

    def following(self, asset_id: str) -> Following:
        """The comparison of a device with its commands."""
        return self._boxes[asset_id].following

    def birth_of(self, asset_id: str) -> Birth | None:
        """What a device said of itself."""
        return self._boxes[asset_id].birth

    def trust(self, asset_id: str) -> None:
        """Believe a device again at once, because an operator says so."""
        box = self._boxes[asset_id]
        box.doubts_left, box.doubted_s = 0, -inf
        box.following.forgive()

    def refusals(self) -> dict[str, dict[str, int]]:
        """How many messages of each asset were refused, by reason."""
        return {name: dict(box.refused) for name, box in self._boxes.items() if box.refused}

    def readings(self, mono_s: float) -> Mapping[str, Reading]:
        """What is known of every asset at this instant."""
        return {name: self._reading(box, mono_s) for name, box in self._boxes.items()}

    def _reading(self, box: _Box, mono_s: float) -> Reading:
        if box.last is None:
            why = "has not announced itself" if box.birth is None else "has sent nothing since it came up"
            return Reading(Verdict.MISSING, why=why)
        age_s, follows = mono_s - box.received_s, box.following.follows(mono_s)
        is_gone = box.gone_boot_id == box.last.boot_id
        if is_gone or age_s > self._stale_s:
            why = "went offline" if is_gone else f"silent for {age_s:.0f} s"
            return Reading(Verdict.STALE, box.last, age_s, follows, why)
        if box.doubts_left:
            return Reading(Verdict.SUSPECT, box.last, age_s, follows, box.doubt)
        why = "" if follows else "does not do what it was permitted"
        return Reading(Verdict.FRESH, box.last, age_s, follows, why)


def _refusal(box: _Box, told: Telemetry) -> str | None:
    if box.birth is None or box.birth.boot_id != told.boot_id:
        return "unknown_boot"
    if box.last is not None and told.seq <= box.last.seq:
        return "old_seq"
    return None


def _same(a: Telemetry, b: Telemetry) -> bool:
    return (a.export_kw, a.stored_kwh, a.temperature_c) == (b.export_kw, b.stored_kwh, b.temperature_c)


def _doubt(box: _Box, previous: Telemetry | None, told: Telemetry, seconds: float) -> str:
    """Why a value is not believed; empty if it is."""
    if told.quality is not Quality.GOOD:
        return f"the device calls its own values {told.quality}"
    unit = box.unit
    slack_kw = 2 * box.following.tolerance_kw
    if not -unit.charge_kw - slack_kw <= told.export_kw <= unit.discharge_kw + slack_kw:
        return f"{told.export_kw:,.0f} kW is beyond its rating"
    return _energy_doubt(unit, previous, told, seconds)


def _stuck_doubt(box: _Box) -> str:
    if box.equal_count >= STUCK_AFTER and box.following.off_by_kw is not None:
        return f"the same values {box.equal_count + 1} times although it should have moved"
    return ""


def _distrust(box: _Box, doubt: str, mono_s: float) -> None:
    if not box.doubts_left:
        is_again = mono_s - box.doubted_s < FORGIVEN_S
        box.agreeing_count = min(2 * box.agreeing_count, LATEST_TRUSTED_AGAIN) if is_again else TRUSTED_AGAIN
    box.doubt, box.doubts_left, box.doubted_s = doubt, box.agreeing_count, mono_s


def _energy_doubt(unit: Unit, previous: Telemetry | None, told: Telemetry, seconds: float) -> str:
    if unit.energy_capacity_kwh is None or told.stored_kwh is None:
        return ""
    if told.stored_kwh > unit.energy_capacity_kwh * (1 + JUMP_SHARE):
        return f"{told.stored_kwh:,.0f} kWh is more than it can hold"
    if previous is None or previous.stored_kwh is None:
        return ""
    rated_kw = max(unit.charge_kw, unit.discharge_kw / unit.discharge_efficiency)
    explained_kwh = rated_kw * seconds / 3600 + JUMP_SHARE * unit.energy_capacity_kwh
    jump_kwh = told.stored_kwh - previous.stored_kwh
    return f"its stored energy jumped by {jump_kwh:,.1f} kWh" if abs(jump_kwh) > explained_kwh else ""
