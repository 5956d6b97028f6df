"""Does a device do what it was permitted?"""

from collections import deque

from vpp.domain.unit import Kind, Unit

TOLERANCE_SHARE = 0.03
"""A device follows within this share of its larger rating."""
SETTLE_TICKS = 3
"""So many ticks a device may take to reach a new set-point, beside its ramp."""
FIRST_HOLD_S, LONGEST_HOLD_S = 30.0, 600.0
"""How long one that did not follow is not counted on; twice as long each time it fails again."""
FORGIVEN_S = 3600.0
"""After so long without failing, the first time is the first again."""


class Following:
    """Compares one device's measured power with what it was permitted over the last few ticks, and its ramp."""

    def __init__(self, unit: Unit, tick_s: float) -> None:
        self._unit = unit
        self.tolerance_kw = TOLERANCE_SHARE * max(unit.charge_kw, unit.discharge_kw)
        self._settle_s = SETTLE_TICKS * tick_s + unit.ramp_s
        self._permitted: deque[tuple[float, float]] = deque()
        self._until_s = 0.0
        self._away_kw = 0.0
        self._held_until_s, self._hold_s, self._failed_at_s = -1.0, FIRST_HOLD_S, -FORGIVEN_S
        self.off_by_kw: float | None = None
        """How far the last measured power was outside what was permitted; `None` where it was not."""

    def permitted(self, export_kw: float, lease_s: float, mono_s: float) -> None:
        """Note what a command permits from now on, until its lease ends."""
        if mono_s >= self._until_s:
            self.released()
        self._until_s = mono_s + lease_s
        settled_kw = self._unit.settled_kw(export_kw)
        if not self._permitted or self._permitted[-1][1] != settled_kw:
            self._permitted.append((mono_s, settled_kw))

    def released(self) -> None:
        """Note that no command is in force any more."""
        self._permitted.clear()
        self.off_by_kw = None

    def measured(self, export_kw: float, mono_s: float) -> None:
        """Compare a measured power with every command of the time that the device may take.

        A device that comes nearer by its tolerance from one value to the next is on its way, however long that is.
        """
        if mono_s >= self._until_s:
            self.released()  # what a device does by itself is no disobedience
        while len(self._permitted) > 1 and self._permitted[1][0] <= mono_s - self._settle_s:
            self._permitted.popleft()
        self.off_by_kw = None
        if not self._permitted:
            return
        commands_kw = [kw for _, kw in self._permitted]
        low_kw, high_kw = min(commands_kw) - self.tolerance_kw, max(commands_kw) + self.tolerance_kw
        if self._unit.kind is Kind.GENERATION:
            low_kw = min(low_kw, export_kw)  # a set-point is a ceiling: sun and wind may give less
        former_kw, self._away_kw = self._away_kw, export_kw - commands_kw[-1]
        is_coming = self._away_kw * former_kw > 0 and abs(self._away_kw) <= abs(former_kw) - self.tolerance_kw
        if low_kw <= export_kw <= high_kw or is_coming or mono_s - self._permitted[0][0] < self._settle_s:
            return
        self.off_by_kw = export_kw - commands_kw[-1]
        if mono_s >= self._held_until_s:
            is_repeated = mono_s - self._failed_at_s < FORGIVEN_S
            self._hold_s = min(2 * self._hold_s, LONGEST_HOLD_S) if is_repeated else FIRST_HOLD_S
            self._held_until_s, self._failed_at_s = mono_s + self._hold_s, mono_s

    def follows(self, mono_s: float) -> bool:
        """Whether it may be counted on."""
        return mono_s >= self._held_until_s

    def forgive(self) -> None:
        """Count on it again at once, because an operator says so."""
        self._held_until_s, self._failed_at_s = -1.0, -FORGIVEN_S
