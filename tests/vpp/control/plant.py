"""Small simulated devices in a closed loop with control and safety, on a clock of their own."""

from dataclasses import dataclass, field
from math import inf

from tests.snapshots import reading, snapshot
from vpp.control.decide import decide
from vpp.domain.course import Course
from vpp.domain.setpoint import Permit
from vpp.domain.snapshot import Decision
from vpp.domain.telemetry import Reading, Verdict
from vpp.domain.unit import Unit
from vpp.safety import permits

SUBSTEP_S = 0.05
STALE_S = 3.0


@dataclass
class Device:
    """Obeys each command after a delay, no faster than its ramp; sun and wind give no more than there is."""

    unit: Unit
    delay_s: float = 0.0
    available_kw: float = inf
    stored_kwh: float = 100.0
    export_kw: float = 0.0
    is_silent: bool = False
    follows: bool = True
    _commands: list[tuple[float, float]] = field(default_factory=list)
    _heard_s: float = 0.0
    _told: Reading | None = None

    def command(self, export_kw: float, at_s: float) -> None:
        if not self.is_silent:
            self._commands.append((at_s + self.delay_s, export_kw))

    def advance(self, now_s: float) -> None:
        due = [kw for at_s, kw in self._commands if at_s <= now_s + 1e-9]
        aim_kw = min(due[-1] if due else 0.0, self.available_kw)
        step_kw = self.unit.ramp_kw_per_s * SUBSTEP_S
        self.export_kw += max(-step_kw, min(step_kw, aim_kw - self.export_kw))
        self.stored_kwh -= self.export_kw * SUBSTEP_S / 3600

    def read(self, now_s: float) -> Reading:
        if not self.is_silent:
            self._heard_s = now_s
            self._told = reading(self.unit.id, self.export_kw, self.stored_kwh)
        assert self._told is not None
        is_stale = now_s - self._heard_s > STALE_S - 1e-9
        verdict = Verdict.STALE if is_stale else Verdict.FRESH
        return Reading(verdict, self._told.telemetry, now_s - self._heard_s, self.follows)


@dataclass
class Plant:
    """A site whose devices are led every second."""

    devices: list[Device]
    plan: Course | None = None
    now_s: float = 0.0
    decision: Decision | None = None
    sums_kw: list[tuple[float, float]] = field(default_factory=list)
    """Time and export of the whole site, every 50 ms."""
    _permits: dict[str, Permit] = field(default_factory=dict)

    @property
    def export_kw(self) -> float:
        return sum(device.export_kw for device in self.devices)

    def tick(self, **fields) -> Decision:
        """Decide once, and let a second pass."""
        site = snapshot(
            [device.unit for device in self.devices],
            [device.read(self.now_s) for device in self.devices],
            permits=self._permits.values(),
            **fields,
        )
        self.decision = decide(site, self.plan)
        answers = permits(site, self.decision)
        for device in self.devices:
            permit = answers.get(device.unit.id)
            if isinstance(permit, Permit):
                self._permits[device.unit.id] = permit
                device.command(permit.export_kw, self.now_s)
        for _ in range(round(1 / SUBSTEP_S)):
            self.now_s += SUBSTEP_S
            for device in self.devices:
                device.advance(self.now_s)
            self.sums_kw.append((self.now_s, self.export_kw))
        return self.decision
