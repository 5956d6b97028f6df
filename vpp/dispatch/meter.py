"""What has passed the site's meter, as its tariff counts it?"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from optimizer.tariff.register import registers
from optimizer.tariff.schema import TariffEntry
from vpp.dispatch.ledger import LONGEST_GAP_S
from vpp.dispatch.tick import Tick
from vpp.domain.tariff import Counted, SoFar


class Meter:
    """Counts what ticks tell: the sum of all assets, while every one of them may be believed.

    Args:
        timezone: Of the site, whose clock and calendar a tariff follows.
        step_s: Length of the steps of plans.
        tariff: What the site file says.
        began: When counting begins, in UTC.
        counted: What was counted before, by id of the entry.

    """

    def __init__(
        self, timezone: str, step_s: int, tariff: Sequence[TariffEntry], began: datetime, counted: Mapping[str, Counted]
    ) -> None:
        self._registers = {register.entry.id: register for register in registers(tariff, timezone)}
        self._step_s = step_s
        self._latest_s: float | None = None
        self.counted = {name: register.begun(began, counted.get(name)) for name, register in self._registers.items()}

    def add(self, tick: Tick, now: datetime, mono_s: float) -> None:
        """Count the time since the last tick at what is measured now."""
        seconds = 0.0 if self._latest_s is None else min(mono_s - self._latest_s, LONGEST_GAP_S)
        self._latest_s = mono_s
        told = [tick.snapshot.readings[unit.id].fresh for unit in tick.snapshot.units]
        known_kw = [telemetry.export_kw for telemetry in told if telemetry is not None]
        if len(known_kw) == len(told):
            for name, register in self._registers.items():
                start = now - timedelta(seconds=seconds)
                self.counted[name] = register.counted_on(self.counted[name], start, now, sum(known_kw))

    def so_far(self, now: datetime) -> dict[str, SoFar]:
        """What a plan that begins now is told, by id of the entry."""
        return {
            name: register.so_far(self.counted[name], now, self._step_s) for name, register in self._registers.items()
        }
